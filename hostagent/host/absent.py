"""Files whose absence is an answer: where they are not there, there is nothing of what they would have told of.

Anything else that is absent or unreadable leaves something unknown, and what is not known is not permitted (law L11). Patterns
are compared component by component; each stands with why nothing is hidden where it is missing.
"""

from __future__ import annotations

ABSENCE_IS_AN_ANSWER = (
    ("etc/fstab", "a host without it mounts nothing by it"),
    ("etc/crypttab", "a host without it opens nothing by it"),
    ("etc/veritytab", "as above"),
    ("etc/integritytab", "as above"),
    ("etc/systemd/system/*", "units are files: one that is not there asks for nothing"),
    ("etc/systemd/system/*/*", "as above: what enables a unit, and drop-ins"),
    ("proc/[2-9]*/mountinfo", "another process's: it has ended, or shares the namespace of one that was read"),
    ("proc/1[0-9]*/mountinfo", "as above"),
    ("sys/devices/virtual/block/*/backing_dev", "a kernel without CONFIG_ZRAM_WRITEBACK: its zram is memory alone"),
    ("holders.json", "recorded only where root looked: elsewhere not looked at"),
    ("sys/bus/pci/devices/*", "a function that is not listed is not there"),
    ("sys/class/*/*", "a device or link that is not listed is not there, or in another namespace"),
    ("sys/block/*", "a device that is not listed is not there"),
)
