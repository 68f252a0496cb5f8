"""The local stack: one command each to set up, run, look at, query and clean the whole project on one machine."""
