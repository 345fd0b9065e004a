"""report -> outside: labels, metrics, files. Writes whole files or none."""
