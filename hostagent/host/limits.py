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
