"""How each system is read: one module per system, one shared HTTP session."""
