"""What the CPUs are vulnerable to: /sys/devices/system/cpu/vulnerabilities/* (Documentation/admin-guide/hw-vuln).

meltdown        Mitigation: PTI
mds             Vulnerable; SMT Host state unknown
itlb_multihit   KVM: Mitigation: VMX disabled
srbds           Unknown: Dependent on hypervisor status
"""

from __future__ import annotations

from hostagent.values.record import record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from hostagent.host.reader import Reader

PATH = "sys/devices/system/cpu/vulnerabilities"

# What a file says, by how it begins after a `KVM: `.
_STATES = (
    ("Not affected", "not-affected"),
    ("Mitigation", "mitigated"),
    ("Vulnerable", "vulnerable"),
    ("Processor vulnerable", "vulnerable"),
)


@record
class Vulnerability:
    """A fault of CPUs, and what the kernel does about it."""

    name: str
    """Its name, as in meltdown; sys/devices/system/cpu/vulnerabilities/<name>."""
    state: str
    """not-affected, mitigated, vulnerable or unknown."""
    text: str
    """All that the file says, of SMT too."""


def vulnerabilities(reader: Reader) -> tuple[Vulnerability, ...]:
    """Every one this kernel knows of, by name; none before Linux 4.15."""
    said = ((name, reader.text(f"{PATH}/{name}")) for name in reader.names(PATH))
    return tuple(Vulnerability(name=name, state=_state(text), text=text) for name, text in said if text is not None)


def _state(text: str) -> str:
    said = text.removeprefix("KVM: ")
    return next((state for start, state in _STATES if said.startswith(start)), "unknown")
