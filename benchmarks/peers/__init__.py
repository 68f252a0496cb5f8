"""Scripts of peers, each run by the environment that has that peer. They import nothing of this project."""
