"""Handing functions to VFIO in many ways, and asking the kernel each time which groups it would give away."""

from __future__ import annotations

import json

from tests.lab.agree import verdicts
from tests.lab.boot import Guest
from tests.lab.machine import EDU0, GPU, HDA, LPC, NIC0, NIC1, RTL, SATA, SMBUS, VF1

# One after the other, each from where the one before left the machine: (driver, functions, what this shows).
STEPS: tuple[tuple[str, tuple[str, ...], str], ...] = (
    ("vfio-pci", (NIC0, VF1), "a NIC alone in its group, its twin untouched, and one of two VFs"),
    ("vfio-pci", (EDU0,), "one of two conventional devices, the other with its driver"),
    ("", (RTL,), "its neighbour without any driver"),
    ("vfio-pci", (RTL, NIC1), "both conventional devices, and both twins"),
    ("vfio-pci", (GPU,), "the display function, its audio function with its driver"),
    ("pci-stub", (HDA,), "the audio function held by pci-stub"),
    ("vfio-pci", (HDA,), "the whole multifunction card"),
    ("vfio-pci", (SATA,), "one function of the chipset, its siblings with their drivers"),
    ("", (SMBUS, LPC), "the chipset's function with all siblings driverless"),
    ("default", (HDA,), "the audio function given back"),
)


def hand_over(guest: Guest) -> list[str]:
    """Take the steps; the disagreements between our verdicts and the kernel's."""
    guest.sh("modprobe -a vfio-pci pci-stub")
    order = json.dumps([[driver, addresses] for driver, addresses, _ in STEPS]).encode()
    command = ("hostagent", "probe", "-o", "json", "--only", "vfio")
    done = guest.run("python3", "/lab/witness.py", "steps", *command, stdin=order)
    assert done.status == 0, done.err.decode()
    found: list[str] = []
    seen: set[bool] = set()
    for (driver, addresses, when), said in zip(STEPS, done.json(), strict=True):
        if driver in {"vfio-pci", "pci-stub"}:
            assert said["drivers"] == dict.fromkeys(addresses, driver), when
        vfio = json.loads(said["said"])["vfio"]
        assert (said["status"], vfio["problems"]) == (0, []), when
        found += verdicts(vfio["data"]["groups"], said["kernel"], when=when)
        seen |= set(said["kernel"].values())
    # Where the kernel gave one answer only, agreement would prove nothing.
    assert seen == {True, False}
    return found
