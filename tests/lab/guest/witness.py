"""Asks the kernel, from inside a machine, without any code of hostagent.

witness.py groups                   {"16": true, ...}: each /dev/vfio/N, and whether the kernel calls the group viable
witness.py steps COMMAND... <STEPS  STEPS is a JSON list of [driver, [address, ...]]: hand functions to a driver ("" for
                                    none at all, "default" for whoever matches), one step after the other; after
                                    each: who drives them, the groups as above, and what COMMAND printed
"""

from __future__ import annotations

import fcntl
import json
import os
import struct
import subprocess
import sys

# include/uapi/linux/vfio.h: _IO(';', 100 + 3), struct vfio_group_status {argsz, flags}, flag 0 is VIABLE.
VFIO_GROUP_GET_STATUS = (ord(";") << 8) | 103


def groups() -> dict[str, bool]:
    """Every group that has a member bound to a VFIO driver: only those have a device node."""
    found = {}
    for name in sorted(os.listdir("/dev/vfio")):
        if name.isdigit():
            descriptor = os.open(f"/dev/vfio/{name}", os.O_RDWR)
            try:
                status = bytearray(struct.pack("II", 8, 0))
                fcntl.ioctl(descriptor, VFIO_GROUP_GET_STATUS, status)
            finally:
                os.close(descriptor)
            found[name] = bool(struct.unpack("II", status)[1] & 1)
    return found


def write(path: str, text: str) -> None:
    """One write(2), as the kernel wants it."""
    descriptor = os.open(path, os.O_WRONLY)
    try:
        os.write(descriptor, text.encode())
    finally:
        os.close(descriptor)


def driver(address: str) -> str | None:
    """Who drives a function."""
    try:
        return os.path.basename(os.readlink(f"/sys/bus/pci/devices/{address}/driver"))
    except FileNotFoundError:
        return None


def bind(wanted: str, addresses: list[str]) -> dict[str, str | None]:
    """The administrator's three writes: unbind, driver_override, drivers_probe."""
    for address in addresses:
        device = f"/sys/bus/pci/devices/{address}"
        if driver(address) is not None:
            write(f"{device}/driver/unbind", address)
        # An empty override gives the function back to whoever matches its ID.
        write(f"{device}/driver_override", "\n" if wanted in {"", "default"} else wanted)
        if wanted:
            write("/sys/bus/pci/drivers_probe", address)
    return {address: driver(address) for address in addresses}


def step(wanted: str, addresses: list[str], command: list[str]) -> dict[str, object]:
    """One step, and what everybody says after it."""
    drivers = bind(wanted, addresses)
    said = subprocess.run(command, stdout=subprocess.PIPE, check=False)
    return {"drivers": drivers, "kernel": groups(), "status": said.returncode, "said": said.stdout.decode()}


if __name__ == "__main__":
    if sys.argv[1] == "groups":
        print(json.dumps(groups()))
    else:
        print(json.dumps([step(wanted, addresses, sys.argv[2:]) for wanted, addresses in json.load(sys.stdin)]))
