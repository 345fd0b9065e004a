"""What each shipped unit, and the container, see of mounts and links: what is to be seen outside, or nothing."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.lab.boot import Guest
from tests.lab.machine import NIC0, NVME1
from tests.lab.pool import Images
from tests.lab.test_daemon import SOCKET, prepare

pytestmark = [pytest.mark.lab, pytest.mark.thorough]

# Where ProtectHome=yes, PrivateTmp=yes and both would hide what is mounted.
BELOW = ("/home/x/disk", "/tmp/disk", "/run/user/1000/disk")
# A container as the quadlet and the DaemonSet make it: its own root, processes and user; the host's network, its files in /host.
CONTAINER = """\
mkdir -p /run/pod && mount -t tmpfs pod /run/pod && cd /run/pod && mkdir usr proc tmp etc host
ln -s usr/bin bin; ln -s usr/lib lib; ln -s usr/lib64 lib64
mount --rbind -o ro /usr usr; mount -t proc proc proc; mount --rbind / host; mount --make-rslave host
mount -o remount,bind,ro host
exec chroot . setpriv --reuid=10346 --regid=10346 --clear-groups --no-new-privs --inh-caps=-all --ambient-caps=-all \
    --bounding-set=-all hostagent probe --root /host -o json
"""
LOOK = """\
[Service]
ExecStart=
ExecStart=/usr/bin/hostagent probe -o json
SuccessExitStatus=3
StandardOutput=truncate:/run/look.json
"""


def mounted(guest: Guest, data: Path, tmp_path: Path) -> None:
    """A disk of its own at each of the places, and a NIC with addresses and routes."""
    disks = [guest.sh(f"ls /sys/bus/pci/devices/{NVME1}/nvme/*/ | grep -m1 -o 'nvme[0-9]*n1'").strip()]
    for number, bus in enumerate(("rp6", "rp7")):
        shutil.copy(data, tmp_path / f"disk{number}")
        node = {"node-name": f"disk{number}"}
        guest.qmp.execute("blockdev-add", driver="file", filename=str(tmp_path / f"disk{number}"), **node)
        guest.qmp.execute("device_add", driver="virtio-blk-pci", bus=bus, id=f"d{number}", drive=f"disk{number}")
        disks.append(f"vd{'bc'[number]}")
        guest.until(f"test -b /dev/{disks[-1]}")
    for disk, place in zip(disks, BELOW, strict=True):
        guest.sh(f"mkdir -p {place} && mount /dev/{disk} {place}")
    nic = guest.sh(f"ls /sys/bus/pci/devices/{NIC0}/net").strip()
    guest.sh(f"ip link set {nic} up; ip addr add 192.0.2.1/24 dev {nic}; ip route add default via 192.0.2.2 dev {nic}")


def sees(seen: dict[str, Any], outside: dict[str, Any], *, network: bool) -> None:
    """What is mounted, as it is seen outside; the network so or not at all; nobody looked for holders."""
    assert seen["storage"] == outside["storage"]
    assert seen["watchdog"]["data"]["devices"] != []
    assert {device["held_by"] for device in seen["watchdog"]["data"]["devices"]} == {None}
    if network or seen["network"]["data"]["routes_known"]:
        assert seen["network"] == outside["network"]


@pytest.mark.machine(SOCKET)
def test_units_see_what_is_mounted(guest: Guest, images: Images, tmp_path: Path) -> None:
    """Disks mounted below /home, /tmp and /run/user: in the container, the socket variant, the textfile unit and the agent."""
    prepare(guest)
    mounted(guest, images["amd64"].data, tmp_path)
    outside = guest.hostagent("probe", "-o", "json", nobody=True, statuses=(0, 3)).json()
    assert {use["what"] for use in outside["storage"]["data"]["uses"]} >= {"/", *BELOW}
    assert all(use["carriers"]["functions"] for use in outside["storage"]["data"]["uses"] if use["what"] in BELOW)
    assert outside["network"]["data"]["default_route_links"] != []
    container = guest.run("unshare", "--mount", "--pid", "--fork", "sh", "-ec", CONTAINER).json()
    sees(container, outside, network=True)

    guest.sh("systemctl start hostagent-socket.service")
    sees(json.loads(guest.read("/run/hostagent/report.json")), outside, network=False)

    guest.sh("install -d -g hostagent -m 775 /var/lib/prometheus/node-exporter")
    guest.write("/run/systemd/system/hostagent-textfile.service.d/look.conf", LOOK)
    guest.sh("systemctl daemon-reload; systemctl start hostagent-textfile.service")
    sees(json.loads(guest.read("/run/look.json")), outside, network=False)

    guest.sh("systemctl start hostagent.service")
    sees(json.loads(guest.read("/run/hostagent/report.json")), outside, network=True)
