"""The Pylon simulator: the vendor's REST contract over the simulated world."""
