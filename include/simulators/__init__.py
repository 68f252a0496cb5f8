"""One simulated company's support history, served as Pylon (REST) and as Plain (GraphQL)."""
