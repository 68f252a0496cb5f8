"""What the benchmarks of Silver and Gold share: a world in Bronze, and dbt listened to."""
