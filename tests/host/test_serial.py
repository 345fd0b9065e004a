"""Serial consoles: which functions carry them, and who is suspected where that is not known."""

from __future__ import annotations

import pytest

from hostagent.assess.node import Node
from hostagent.assess.protected import protections
from hostagent.assess.reasons import Evidence, Reason, Why
from hostagent.values.pci import PciAddress
from tests.plan.machines import Machine

KT, CARD = PciAddress("0000:00:16.3"), PciAddress("0000:05:00.0")


def machine(active: str = "tty0", arguments: str = "quiet") -> Machine:
    """A machine with AMT, a serial card, and a legacy port ttyS0."""
    found = Machine().function(KT, "8086:a13d", "070002", driver="serial")
    found.function(CARD, "1415:c158", "070002", driver="serial")
    found.put({"sys/class/tty/console/active": f"{active}\n", "proc/cmdline": f"{arguments}\n"})
    found.put({"sys/devices/platform/serial8250/tty/ttyS0/dev": "4:64\n"})
    found.links["sys/class/tty/ttyS0"] = "../../devices/platform/serial8250/tty/ttyS0"
    found.links["sys/devices/platform/serial8250/tty/ttyS0/device"] = "../../../serial8250"
    for name, place in (("ttyS4", f"{KT}/tty/ttyS4"), ("ttyS5", f"{CARD}/{CARD}:0/{CARD}:0.0/tty/ttyS5")):
        found.put({f"sys/devices/pci0000:00/{place}/dev": "4:68\n"})
        found.links[f"sys/class/tty/{name}"] = f"../../devices/pci0000:00/{place}"
    return found


def why(found: Machine) -> dict[PciAddress, tuple[Reason, ...]]:
    return protections(Node("n", found.report()))


@pytest.mark.parametrize(
    ("active", "arguments"), [("tty0 ttyS4", "quiet"), ("tty0", "console=tty0 console=ttyS4,115200n8")]
)
def test_a_console_on_amt(active: str, arguments: str) -> None:
    evidence = Evidence(path="sys/class/tty/ttyS4", said=KT)
    reason = Reason(code=Why.CONSOLE, text="the serial console ttyS4 is on it", evidence=(evidence,))
    assert why(machine(active, arguments)) == {KT: (reason,)}


def test_below_the_serial_core_of_linux_6_5() -> None:
    assert list(why(machine("ttyS5"))) == [CARD]


@pytest.mark.parametrize("active", ["tty0", "tty0 ttyS0", ""])
def test_a_port_that_is_no_console_and_a_legacy_console_keep_nothing(active: str) -> None:
    assert why(machine(active, "console=uart8250,io,0x3f8 console=null console=")) == {}


@pytest.mark.parametrize("lost", ["sys/class/tty/ttyS4", "sys/class/tty/console/active"])
@pytest.mark.parametrize("unreadable", [False, True])
def test_a_console_nobody_can_find_may_be_any_port_that_is_driven(lost: str, *, unreadable: bool) -> None:
    found = machine("tty0 ttyS4").function("0000:06:00.0", "1415:c158", "070002").without(lost)
    found.function("0000:00:16.0", "8086:a13a", "078000", driver="mei_me")
    if unreadable:
        found.links[lost] = lost.rpartition("/")[2]
    said = "not read" if lost.endswith("active") else "no device"
    reason = Reason(
        code=Why.UNKNOWN,
        text="it is not known whether it carries a serial console",
        evidence=(Evidence(path=lost, said=said),),
    )
    assert why(found) == {KT: (reason,), CARD: (reason,)}
