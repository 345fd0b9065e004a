"""The daemon: the only clock and the only state. Wakes, surveys, publishes, and serves what was published."""
