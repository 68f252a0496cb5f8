"""The Plain simulator: the vendor's GraphQL contract over the simulated world."""
