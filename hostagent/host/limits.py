"""How much of a machine is looked at: every limit and its reason, in one place.

Past a limit there is a Problem (`too-large`), and what was not looked at is not known. An archive past one is refused.
"""

from __future__ import annotations

# A sysfs attribute is at most a page; what else is read comes in pieces.
PAGE, CHUNK = 4096, 1 << 16
# The largest text read. /proc/cpuinfo of 1,024 CPUs is 1.5 MB, modules.alias 1.5 MB.
TEXT_BYTES = 8 << 20
# A file named on the command line: a report of 4,096 functions is 2 MB.
GIVEN_BYTES = 64 << 20
# A file of the agent's own configuration, a profile, a certificate.
CONFIGURED_BYTES = 1 << 20
# A kernel command line. The kernel's own limit is 2 or 4 KiB, on s390 what it was configured with.
COMMAND_LINE_BYTES = 64 << 10
# Mounts: 500 pods make some thousands; the kernel's own limit for a namespace is 100,000 (sysctl fs.mount-max).
MOUNTS = 16_384
# Network links: 4,096 VFs, and a few for each of 1,000 pods.
LINKS = 8_192
# Members of an archive. A DGX with everything read has 7,500; 4,096 functions make 40,000 to 80,000.
ARCHIVE_MEMBERS = 100_000
# What an archive unpacks to, names too: that DGX is 1 MB.
ARCHIVE_BYTES = 64 << 20
# PATH_MAX of Linux; sysfs itself is not 30 directories deep.
ARCHIVE_NAME_BYTES, ARCHIVE_DEPTH = 4096, 64
