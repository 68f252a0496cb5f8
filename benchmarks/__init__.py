"""What `make bench` runs: each module here but the frame answers one question about speed or memory, in figures."""
