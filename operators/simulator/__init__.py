"""A simulated exchange session with known truth."""
