"""The simulated world: a deterministic history, generated as an event log from a seed and a size."""
