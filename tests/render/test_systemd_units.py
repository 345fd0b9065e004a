"""Units as text, as systemd reads them, and as the shell runs their lines over a planted machine."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from hostagent.render.systemd_units import units
from hostagent.values.record import replaced
from tests.plan.machines import worker
from tests.plan.profiles import DEBIAN, devices, planned, profile
from tests.plant import plant
from tests.render.tools import verify

HEAD = "# Written by hostagent from a profile: change that and render again.\n"
ONE_NIC = devices("address: 0000:02:00.0, resourceName: intel.com/82574L", platform=DEBIAN)
LINK = "sys/bus/pci/devices/0000:02:00.0"
DEVICE = "sys/devices/pci0000:02/0000:02:00.0"
LINKS = {LINK: "../../../devices/pci0000:02/0000:02:00.0"}
IDS = {"vendor": "0x8086\n", "device": "0x10d3\n", "subsystem_vendor": "0x0000\n", "subsystem_device": "0x0000\n"}


def test_one_address() -> None:
    (unit,) = units(planned(ONE_NIC, worker()))
    assert (unit.name, unit.enabled, unit.dropins) == ("hostagent-vfio-0000-02-00.0.service", True, ())
    assert (
        unit.text
        == HEAD
        + """\
# devices[0] (intel.com/82574L)
[Unit]
Description=hostagent: hand 0000:02:00.0 to vfio-pci
DefaultDependencies=no
After=systemd-modules-load.service systemd-udev-trigger.service
Wants=network-pre.target
Before=basic.target network-pre.target kubelet.service crio.service
Conflicts=shutdown.target
Before=shutdown.target
ConditionPathExists=/sys/bus/pci/devices/0000:02:00.0/driver_override

[Service]
Type=oneshot
RemainAfterExit=yes
ExecCondition=/bin/sh -c 'cd -P /sys/bus/pci/devices/0000:02:00.0 || exit 1; read v <vendor; read d <device; \
read w <subsystem_vendor; read s <subsystem_device; p=$$(pwd -P); q=; IFS=/; for c in $$p; do case $$c in \
pci*:*) q=$$c;; *) q=$$q/$${c##*:};; esac; done; unset IFS; \
case $$v:$$d:$$w:$$s:$$q in 0x8086:0x10d3:0x0000:0x0000:pci0000:02/00.0) exit 0;; esac; exit 1'
ExecStart=/sbin/modprobe vfio-pci
ExecStart=/bin/sh -c 'cd -P /sys/bus/pci/devices/0000:02:00.0 || exit 1; read v <vendor; read d <device; \
read w <subsystem_vendor; read s <subsystem_device; p=$$(pwd -P); q=; IFS=/; for c in $$p; do case $$c in \
pci*:*) q=$$c;; *) q=$$q/$${c##*:};; esac; done; unset IFS; \
case $$v:$$d:$$w:$$s:$$q in 0x8086:0x10d3:0x0000:0x0000:pci0000:02/00.0) ;; *) exit 0;; esac; \
below() { case $$(readlink -f $$1)/ in $$p/*) return 0;; esac; \
for k in $$(readlink -f $$1 | grep -o /nvme-subsys[0-9]*/); do for n in /sys/class/nvme-subsystem$${k}nvme*; do \
case $$(readlink -f $$n)/ in $$p/*) return 0;; esac; done; done; return 1; }; \
used() { echo "0000:02:00.0 stays: $$b is $$1" >&2; exit 1; }; \
for e in /sys/class/block/*; do [ -e $$e/dev ] && below $$e || continue; b=$${e##*/}; read m <$$e/dev; \
grep -Eqs "^[0-9]+ [0-9]+ $$m |- [^ ]+ /dev/$$b " /proc/self/mountinfo /proc/[0-9]*/mountinfo && used mounted; \
grep -qs "^/dev/$$b[[:space:]]" /proc/swaps && used "swapped on"; \
for h in $$e/holders/*; do [ -e $$h ] && used held; done; \
for h in /sys/fs/btrfs/*/devices/$$b; do [ -e $$h ] && used "in a btrfs"; done; \
grep -qsx /dev/$$b /sys/class/block/loop*/loop/backing_file && used "behind a loop device"; done; \
echo vfio-pci >driver_override; for i in 1 2 3 4 5 6 7 8 9 10; do \
[ "$$(readlink -f driver)" = /sys/bus/pci/drivers/vfio-pci ] && exit 0; \
[ -e driver ] && echo 0000:02:00.0 >driver/unbind; echo 0000:02:00.0 >/sys/bus/pci/drivers_probe; \
[ "$$(readlink -f driver)" = /sys/bus/pci/drivers/vfio-pci ] && exit 0; sleep 1; done; \
echo "0000:02:00.0 is still with $$(readlink -f driver)" >&2; exit 1'

[Install]
WantedBy=basic.target
"""
    )


def test_pools_larger_pages_first() -> None:
    pools = "hugepages: {pools: [{size: 2M, count: 64, node: 0}, {size: 1G, count: 2, node: 0}]}\n"
    # Before 5.16 the kernel makes pages of a NUMA node at run time only.
    old = worker().put({"proc/sys/kernel/osrelease": "5.14.0\n"})
    old.files |= {
        path.replace("6.12.0", "5.14.0"): text for path, text in old.files.items() if path.startswith("lib/modules")
    }
    one, two = units(planned(profile(pools), old))
    assert [one.name, two.name] == ["hostagent-hugepages-1G-node0.service", "hostagent-hugepages-2M-node0.service"]
    assert "After=" not in (one.text or "")
    assert (
        two.text
        == HEAD
        + """\
# hugepages.pools
[Unit]
Description=hostagent: 64 huge pages of 2M on NUMA node 0
After=hostagent-hugepages-1G-node0.service
Before=kubelet.service crio.service containerd.service libvirtd.service
ConditionPathExists=/sys/devices/system/node/node0/hugepages/hugepages-2048kB/nr_hugepages

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/bin/sh -c 'f=/sys/devices/system/node/node0/hugepages/hugepages-2048kB/nr_hugepages; \
for i in $$(seq 60); do echo 64 >$$f; [ "$$(cat $$f)" -ge 64 ] && exit 0; sleep 1; done; \
echo "NUMA node 0 gives $$(cat $$f) of 64 pages" >&2; exit 1'

[Install]
WantedBy=multi-user.target
"""
    )


def test_systemd_takes_every_unit(tmp_path: Path) -> None:
    pools = "hugepages: {pools: [{size: 2M, count: 64, node: 0}]}\n"
    wishes = profile("devices: [{address: 0000:02:00.0}, {id: '10de:1e84'}]\n" + pools)
    found = {unit.name: unit.text or "" for unit in units(planned(wishes, worker()))}
    assert len(found) == 3  # the NIC, the graphics card's USB controller, the pool
    verify(found, tmp_path)


def commands(name: str, text: str, root: Path) -> list[str]:
    """The shell scripts behind `name=` as systemd hands them to the shell, over `root` instead of /."""
    found = []
    for line in text.splitlines():
        if line.startswith(f"{name}=/bin/sh -c '"):
            script = line.removeprefix(f"{name}=/bin/sh -c '").removesuffix("'")
            assert "'" not in script
            assert "%" not in script
            script = script.replace("/sys/", f"{root}/sys/").replace("/proc/", f"{root}/proc/")
            found.append(script.replace("$$", "$"))
    return found


def run(script: str) -> int:
    done = subprocess.run(["sh", "-c", script], capture_output=True, text=True, check=False, timeout=300)
    assert done.stderr == ""
    return done.returncode


@pytest.mark.parametrize(
    ("there", "known"),
    [
        ({}, True),
        ({"device": "0x10d4\n"}, False),
        ({"vendor": "0x8087\n"}, False),
        ({"subsystem_vendor": "0x15d9\n"}, False),
        ({"subsystem_device": "0x15d9\n"}, False),
    ],
)
def test_it_looks_whose_the_address_is(tmp_path: Path, *, there: dict[str, str], known: bool) -> None:
    (unit,) = units(planned(ONE_NIC, worker()))
    assert unit.text is not None
    plant(
        tmp_path,
        {f"{DEVICE}/{name}": text for name, text in {**IDS, "driver_override": "(null)\n", **there}.items()},
        links=LINKS,
    )
    (condition,) = commands("ExecCondition", unit.text, tmp_path)
    assert run(condition) == (0 if known else 1)
    if not known:
        # An old systemd runs the rest all the same.
        (start,) = commands("ExecStart", unit.text, tmp_path)
        assert run(start) == 0
        assert (tmp_path / DEVICE / "driver_override").read_text() == "(null)\n"


def test_one_that_vfio_has_already_is_left_alone(tmp_path: Path) -> None:
    (unit,) = units(planned(ONE_NIC, worker()))
    assert unit.text is not None
    files = {f"{DEVICE}/{name}": text for name, text in {**IDS, "driver_override": "(null)\n"}.items()}
    files |= {"sys/bus/pci/drivers/vfio-pci/unbind": "", "sys/bus/pci/drivers_probe": ""}
    plant(tmp_path, files, links=LINKS | {f"{DEVICE}/driver": "../../../bus/pci/drivers/vfio-pci"})
    (start,) = commands("ExecStart", unit.text, tmp_path)
    assert run(start) == 0
    assert (tmp_path / DEVICE / "driver_override").read_text() == "vfio-pci\n"
    assert (tmp_path / "sys/bus/pci/drivers/vfio-pci/unbind").read_text() == ""
    assert (tmp_path / "sys/bus/pci/drivers_probe").read_text() == ""


def test_a_subsystem_nobody_knows_is_not_compared(tmp_path: Path) -> None:
    made = planned(ONE_NIC, worker())
    (one,) = made.vfio.units
    (identity,) = one.identities
    unknown = replaced(identity, subsystem_vendor_id=None, subsystem_device_id=None)
    two = replaced(one, identities=(unknown, replaced(identity, device_id="10d4")))
    (unit,) = units(replaced(made, vfio=replaced(made.vfio, units=(two,))))
    assert unit.text is not None
    place = "pci0000:02/00.0"
    assert f"in 0x8086:0x10d3:*:*:{place}|0x8086:0x10d4:0x0000:0x0000:{place}) exit 0" in unit.text
    ids = {f"{DEVICE}/{name}": text for name, text in {**IDS, "subsystem_vendor": "0x15d9\n"}.items()}
    plant(tmp_path, ids, links=LINKS)
    (condition,) = commands("ExecCondition", unit.text, tmp_path)
    assert run(condition) == 0


def test_a_pool_is_filled(tmp_path: Path) -> None:
    (unit,) = units(planned(profile("hugepages: {pools: [{size: 2M, count: 64, node: 0}]}\n"), worker()))
    path = "sys/devices/system/node/node0/hugepages/hugepages-2048kB/nr_hugepages"
    plant(tmp_path, {path: "0\n"})
    (start,) = commands("ExecStart", unit.text or "", tmp_path)
    assert run(start) == 0
    assert (tmp_path / path).read_text() == "64\n"


def test_a_pool_that_stays_short_fails(tmp_path: Path) -> None:
    (unit,) = units(planned(profile("hugepages: {pools: [{size: 2M, count: 64, node: 0}]}\n"), worker()))
    (start,) = commands("ExecStart", unit.text or "", tmp_path)
    path = tmp_path / "sys/devices/system/node/node0/hugepages/hugepages-2048kB/nr_hugepages"
    path.parent.mkdir(parents=True)
    path.symlink_to("/dev/null")
    done = subprocess.run(
        ["sh", "-c", start.replace("sleep 1", ":")], capture_output=True, text=True, check=False, timeout=300
    )
    assert done.returncode == 1
    assert done.stderr.endswith("NUMA node 0 gives  of 64 pages\n")
