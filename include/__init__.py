"""The project's own code: everything the DAGs wire together and everything that runs without them."""
