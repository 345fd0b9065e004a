"""L1 on machines that hold names of people: what their captures, reports and pages say, and that every judgement stays."""

from __future__ import annotations

import gzip
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hostagent.areas import network, storage
from hostagent.daemon.configured import Configured
from hostagent.daemon.state import look
from hostagent.host import Host, redact, redact_files, redact_guests
from hostagent.host.capture import archive, recording
from hostagent.publish.report_file import report_file
from hostagent.report import NodeReport, survey
from hostagent.settings import Settings
from tests.plan.machines import Machine
from tests.plant import plant
from tests.roots import REPOSITORY

SECRET = "hunter2"
MAC = "c0ffee0a1b2c"
LINK = f"enx{MAC}"


def full(secret: str = SECRET, link: str = LINK) -> tuple[dict[str, str | bytes], dict[str, str]]:
    """A machine of which every file a survey reads has a secret where people put one."""
    machine = Machine()
    machine.function("0000:01:00.0", "8086:10d3", "020000", driver="e1000e", group=1).nic(
        link, "0000:01:00.0", route=True
    )
    machine.function("0000:02:00.0", "8086:10d3", "020000", driver="e1000e", group=2).nic(
        "eno2", "0000:02:00.0", master="bond0"
    )
    machine.function("0000:03:00.0", "1b36:0010", "010802", driver="nvme", group=3).disk(
        "nvme0n1", "0000:03:00.0", on="boot"
    )
    machine.link("bond0")
    virtual = "sys/devices/virtual"
    machine.links |= {
        f"{virtual}/net/bond0/lower_{link}": f"../../../pci0000:00/0000:01:00.0/net/{link}",
        "sys/class/block/dm-0": "../../devices/virtual/block/dm-0",
        "sys/dev/block/253:0": "../../devices/virtual/block/dm-0",
        f"{virtual}/block/dm-0/slaves/nvme0n1": "../../../../pci0000:00/0000:03:00.0/nvme/nvme0/nvme0n1",
        f"dev/disk/by-uuid/{secret}": "../../nvme0n1",
        "sys/block/zram0": "../devices/virtual/block/zram0",
        "sys/class/block/zram0": "../../devices/virtual/block/zram0",
        "sys/dev/block/252:0": "../../devices/virtual/block/zram0",
        "sys/block/loop0": "../devices/virtual/block/loop0",
        "sys/class/block/loop0": "../../devices/virtual/block/loop0",
        "sys/dev/block/7:0": "../../devices/virtual/block/loop0",
        f"sys/fs/btrfs/{secret}/devices/dm-0": "../../../../devices/virtual/block/dm-0",
        f"etc/systemd/system/multi-user.target.wants/{secret}.service": f"../{secret}.service",
        "etc/systemd/system/multi-user.target.wants/vfio-bind.service": "../vfio-bind.service",
    }
    machine.files["proc/1/mountinfo"] += (
        f"30 1 253:0 /{secret} /home/{secret} rw - ext4 /dev/mapper/{secret} rw,{secret}=1\n"
        f"31 1 0:41 / /srv/{secret} rw - nfs4 {secret}.example.org:/x rw,addr={secret}\n"
        f"32 1 0:42 / /srv/two rw - nfs4 two.{secret}.example.org:/x rw\n"
        f"33 1 7:0 / /mnt/{secret} rw - ext4 /dev/loop0 rw\n"
        f"34 1 0:43 / /tank rw - zfs {secret}/ROOT rw\n"
        f"35 1 0:44 / /data rw - btrfs /dev/mapper/{secret} rw\n"
        f"36 1 0:45 / /run/{secret} rw - tmpfs {secret} rw\n"
    )
    machine.files["proc/cpuinfo"] += f"\nSerial\t\t: {secret}\n"
    machine.files["proc/swaps"] += f"/home/{secret}/swap file 1 0 -2\n/dev/mapper/{secret} partition 1 0 -3\n"
    machine.put({
        "proc/cmdline": f"root=UUID={secret} {secret} x={secret} intel_iommu=on vfio-pci.ids=10de:1eb8\n",
        "proc/version": f"Linux version 6.12.0 ({secret}@{secret})\n",
        "proc/net/dev": f"{link}: 1\n  eno2: 1\n bond0: 1\n",
        f"{virtual}/block/dm-0/dm/name": f"{secret}\n",
        f"{virtual}/block/dm-0/dm/uuid": f"CRYPT-LUKS2-{secret}\n",
        f"{virtual}/block/dm-0/dev": "253:0\n",
        f"{virtual}/block/loop0/loop/backing_file": f"/home/{secret}/disk.img\n",
        f"{virtual}/block/loop0/dev": "7:0\n",
        f"{virtual}/net/bond0/bonding/slaves": f"{link} eno2\n",
        f"sys/devices/pci0000:00/0000:01:00.0/net/{link}/uevent": f"INTERFACE={link}\n",
        f"proc/spl/kstat/zfs/{secret}/state": "ONLINE\n",
        "etc/os-release": f'ID=rhel\nVERSION_ID="9"\n{secret}={secret}\n# {secret}\n',
        "etc/modprobe.d/a.conf": f"# {secret}\noptions vfio-pci ids=10de:1eb8\noptions wifi key={secret}\n"
        f"install nvidia /sbin/modprobe vfio-pci; {secret}\n",
        "etc/modules-load.d/a.conf": f"# {secret}\nvfio-pci\n",
        "etc/systemd/system/vfio-bind.service": f"[Service]\nEnvironment={secret}\n"
        "ExecStart=/bin/sh -c 'echo vfio-pci >/sys/bus/pci/devices/0000:02:00.0/driver_override'\n",
        f"etc/systemd/system/{secret}.service": secret,
        "etc/udev/rules.d/10-vfio.rules": f"# {secret}\n"
        f'KERNEL=="0000:02:00.0", ATTR{{driver_override}}="vfio-pci", X="{secret}"\n',
        f"etc/udev/rules.d/{secret}.rules": secret,
        "etc/driverctl.d/pci-0000:02:00.0": "vfio-pci\n",
        f"etc/driverctl.d/{secret}": secret,
        "etc/systemd/system.conf": f"[Manager]\nDefaultEnvironment={secret}\nRuntimeWatchdogSec=30s\n",
        "etc/systemd/system.conf.d/a.conf": f"# {secret}\n[Manager]\nRebootWatchdogSec=1min\n",
        "etc/kubernetes/kubelet.conf": f"token: {secret}\ncpuManagerPolicy: static\n",
        "etc/kubernetes/kubelet.conf.d/a.conf": f"# {secret}\nfailSwapOn: false\n",
        "var/lib/kubelet/config.yaml": f"x: {secret}\ntopologyManagerPolicy: none\n",
        "var/lib/kubelet/cpu_manager_state": f'{{"policyName":"static","defaultCpuSet":"0","entries":{{"{secret}":{{}}}}}}',
        "var/lib/kubelet/memory_manager_state": f'{{"policyName":"None","entries":{{"{secret}":{{}}}}}}',
        "sys/kernel/kexec_crash_loaded": "1\n",
        "etc/kdump.conf": f"# {secret}\nraw /dev/mapper/{secret}\nssh root@{secret}\n",
        "etc/fstab": f"# {secret}\nUUID={secret} /data/{secret} xfs defaults,x={secret} 0 2\n",
        "etc/integritytab": f"{secret}-data UUID={secret} /root/{secret} journal-crypt={secret}\n",
        "etc/veritytab": f"{secret}-usr UUID={secret} UUID={secret} {secret} root-hash-signature=/root/{secret}\n",
        "etc/crypttab": f"{secret}-luks UUID={secret} /root/{secret} luks,keyscript={secret}\n",
        f"etc/systemd/system/{secret}.mount": f"[Unit]\nDescription={secret}\n[Mount]\nWhat=/dev/disk/by-uuid/{secret}\n"
        f"Where=/opt/{secret}\nOptions=x={secret}\n",
        f"etc/systemd/system/{secret}.swap": f"[Swap]\nWhat=/dev/disk/by-uuid/{secret}\n# {secret}\n",
        "etc/mdadm.conf": f"MAILADDR {secret}\nARRAY /dev/md/{secret} metadata=1.2 UUID={secret} name=h:{secret}\n",
        "etc/multipath.conf": f"multipaths {{\n multipath {{\n  wwid {secret}\n  alias {secret}\n }}\n}}\n# {secret}\n",
        "proc/1/net/ipv6_route": f"{'0' * 32} 00 {'0' * 32} 00 fe80{'0' * 27}1 00000400 1 0 00000003 {link}\n",
        f"{virtual}/block/zram0/backing_dev": f"/dev/mapper/{secret}\n",
        f"{virtual}/block/zram0/dev": "252:0\n",
        "holders.json": f'[["/run/{secret}", "qemu-system-x86"]]',
        "netlink/links.json": f'{{"links": [{{"name": "{link}", "vfs": []}}]}}',
    })  # fmt: skip
    return dict(machine.files), machine.links


# What no survey reads: a capture of another program's may hold it. And what is read where there is no mountinfo.
UNREAD = {redact_guests.libvirt, redact_guests.proxmox, redact._PROC["mounts"], dict(redact._SYS)["/ifalias"]}


def test_every_kind_of_file_has_a_secret_planted() -> None:
    """Each function that a file is shown through is met by a file with a secret in it."""
    files, _ = full()
    met = {redact._change(path) for path, text in files.items() if SECRET in str(text) or MAC in str(text)}
    places = (change for _, _, change in redact_files._PLACES)
    known = {*redact._PROC.values(), *dict(redact._SYS).values(), *redact_files._EXACT.values(), *places}
    assert known - UNREAD <= met


@pytest.mark.parametrize("value", ["0a1b-22", "My\\040Disk", "a[b]", "\u00e4\u2013", "hunter2(1)"])
def test_a_tag_leads_to_its_disk_though_neither_is_named(tmp_path: Path, value: str) -> None:
    """udev encodes what it makes links of; a pseudonym stands for the encoded name."""
    link = {"My\\040Disk": "My\\x20Disk", "a[b]": "a\\x5bb\\x5d", "hunter2(1)": "hunter2\\x281\\x29"}.get(value, value)
    machine = Machine()
    machine.function("0000:03:00.0", "1b36:0010", "010802", driver="nvme", group=3).disk("nvme0n1", "0000:03:00.0")
    machine.put({"etc/fstab": f"LABEL={value} /data xfs defaults 0 2\n"})
    links = {**machine.links, f"dev/disk/by-label/{link}": "../../nvme0n1"}
    root = plant(tmp_path / "root", machine.files, links)
    for report in (survey(Host(str(root), thorough=True)), redacted(root), captured(root, tmp_path / "x.tar.gz")[0]):
        assert report.storage is not None
        assert report.storage.data is not None
        assert list(storage.protected(report.storage.data)) == ["0000:03:00.0"]


def captured(root: Path, at: Path) -> tuple[NodeReport, bytes]:
    """The survey of the capture of `root`, and the capture unpacked."""
    host = recording(str(root))
    survey(host)
    at.write_bytes(archive(host))
    host.close()
    return survey(Host(str(at), thorough=True)), gzip.decompress(at.read_bytes())


def redacted(root: Path | str) -> NodeReport:
    """What others may see."""
    return survey(Host(str(root), thorough=True, redacted=True))


def said(*words: str) -> str:
    """What a command prints."""
    done = subprocess.run(
        [sys.executable, "-m", "hostagent", *words], capture_output=True, text=True, check=False, cwd=REPOSITORY
    )
    assert done.returncode in (0, 3), done.stderr
    return done.stdout


def outputs(root: Path, at: Path) -> Iterator[tuple[str, str]]:
    """(name, text) of everything that people paste."""
    yield "capture", captured(root, at)[1].decode("utf-8", "replace")
    for form in ("json", "yaml", "ansible"):
        yield form, said("probe", "--root", str(root), "-o", form)
    configured = Configured(settings=Settings(), profile=None, node="n")
    yield "/report.json", report_file(look(str(root), configured).snapshot.report).decode()


def test_nothing_planted_in_any_file_is_shown(tmp_path: Path) -> None:
    files, links = full()
    root = plant(tmp_path / "root", files, links)
    seen = survey(Host(str(root), thorough=True))
    for name, text in outputs(root, tmp_path / "capture.tar.gz"):
        assert SECRET not in text, name
        assert MAC not in text, name
    assert SECRET in repr(seen)
    assert MAC in repr(seen)
    assert SECRET in said("probe", "--root", str(root), "-o", "json", "--unredacted")


def test_the_capture_says_what_the_redacted_machine_says_and_is_not_redacted_further(tmp_path: Path) -> None:
    files, links = full()
    root = plant(tmp_path / "root", files, links)
    report, _ = captured(root, tmp_path / "capture.tar.gz")
    assert report == redacted(root)
    assert redacted(tmp_path / "capture.tar.gz") == report


_NAME = st.text("abcdefghijklmnopqrstuvwxyzABC-._0123456789", min_size=1, max_size=12).filter(
    lambda name: name.strip(".") and not name.startswith(("-", "."))
)
_LINKS = st.builds(
    str.__add__, st.sampled_from(["", "e", "enx", "wlx", "br-"]), st.text("0123456789abcdef", min_size=12, max_size=12)
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=15)
@given(secret=_NAME, link=_LINKS)
def test_every_judgement_stays(tmp_path_factory: pytest.TempPathFactory, secret: str, link: str) -> None:
    at = tmp_path_factory.mktemp("l1")
    files, links = full(secret, link)
    root = plant(at / "root", files, links)
    seen, shown = survey(Host(str(root), thorough=True)), redacted(root)
    assert captured(root, at / "capture.tar.gz")[0] == shown
    assert redacted(at / "capture.tar.gz") == shown
    assert seen.storage is not None
    assert shown.storage is not None
    assert seen.network is not None
    assert shown.network is not None
    assert seen.storage.data is not None
    assert shown.storage.data is not None
    assert seen.network.data is not None
    assert shown.network.data is not None
    assert list(storage.protected(shown.storage.data)) == list(storage.protected(seen.storage.data))
    assert list(network.protected(shown.network.data)) == list(network.protected(seen.network.data))
    assert len(shown.storage.data.uses) == len(seen.storage.data.uses)
    for area in ("pci", "iommu", "hugepages", "numa", "cpu", "watchdog", "sriov", "memory", "firmware"):
        assert getattr(shown, area).data == getattr(seen, area).data, area
