"""systemd units, held against systemd's own tools."""
