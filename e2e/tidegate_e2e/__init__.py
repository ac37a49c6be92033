"""Tidegate on a real cluster: the scenarios and what they are told with. `e2e/run` starts it."""
