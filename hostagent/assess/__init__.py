"""report -> assessment: what every function and group is to a guest. Judged once; every reader says the same."""
