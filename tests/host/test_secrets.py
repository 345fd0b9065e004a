"""No secret that stands in a file a survey reads is in its capture, and the capture says what the machine said."""

from __future__ import annotations

import tarfile
from pathlib import Path

import pytest

from hostagent.host import Host
from hostagent.host.capture import archive, recording
from hostagent.report import survey
from tests.plant import plant

SECRET = "hunter2"
KUBECONFIG = f"users:\n- user:\n    client-key-data: {SECRET}\n    token: {SECRET}\ncpuManagerPolicy: static\n"
STATE = f'{{"policyName":"static","defaultCpuSet":"0-1","entries":{{"{SECRET}":{{}}}},"checksum":1}}'
UNIT = (
    f"[Service]\nEnvironment=TOKEN={SECRET}\n"
    "ExecStart=/bin/sh -c 'echo vfio-pci >/sys/bus/pci/devices/0000:3b:00.0/driver_override'\n"
)
RULE = f'KERNEL=="0000:3b:00.1", ATTR{{driver_override}}="vfio-pci", ENV{{X}}="{SECRET}"\n# {SECRET}\n'
MOUNTS = f"36 35 0:40 / /srv/b\xfcro rw - nfs4 {SECRET}.example.org:/x rw,addr={SECRET}\n".encode("latin-1")
PLACES: dict[str, tuple[dict[str, str | bytes], dict[str, str]]] = {
    "a kubeconfig behind a link": (
        {"etc/kubernetes/real.conf": KUBECONFIG},
        {"etc/kubernetes/kubelet.conf": "real.conf"},
    ),
    "a kubelet that lives elsewhere": (
        {"data/kubelet/cpu_manager_state": STATE, "data/kubelet/config.yaml": KUBECONFIG},
        {"var/lib/kubelet": "/data/kubelet"},
    ),
    "a byte that is not UTF-8 among the mounts": ({"proc/1/mountinfo": MOUNTS}, {}),
    "a byte that is not UTF-8 among the arguments": (
        {"proc/cmdline": f"b\xfcro root=UUID={SECRET} inst.ks=http://{SECRET}/\n".encode("latin-1")},
        {},
    ),
    "a byte that is not UTF-8 beside keys": (
        {"etc/kubernetes/kubelet.conf": b"# \xff\n" + KUBECONFIG.encode()},
        {},
    ),
    "mounts without device numbers": (
        {"proc/mounts": f"{SECRET}.example.org:/x /srv nfs4 rw,addr={SECRET} 0 0\n/dev/mapper/a-b / ext4 rw 0 0\n"},
        {},
    ),
    "the environment of the system manager": (
        {
            "etc/systemd/system.conf": f"[Manager]\nDefaultEnvironment=PASSWORD={SECRET}\nRuntimeWatchdogSec=30s\n",
            "etc/systemd/system.conf.d/10-x.conf": f"# {SECRET}\n[Manager]\nRebootWatchdogSec=1min\n",
        },
        {},
    ),
    "units and rules": (
        {
            "etc/systemd/system/vfio-bind.service": UNIT,
            "etc/udev/rules.d/10-vfio.rules": RULE,
        },
        {"etc/systemd/system/multi-user.target.wants/vfio-bind.service": "../vfio-bind.service"},
    ),
}


@pytest.mark.parametrize("place", PLACES)
def test_no_secret_is_captured(tmp_path: Path, place: str) -> None:
    files, links = PLACES[place]
    root = plant(tmp_path / "root", {"proc/version": "x", **files}, links)
    host = recording(str(root))
    report = survey(host)
    path = tmp_path / "capture.tar.gz"
    path.write_bytes(archive(host))
    with tarfile.open(path) as tar:
        for member in tar:
            content = tar.extractfile(member) if member.isreg() else None
            assert content is None or SECRET.encode() not in content.read(), member.name
    assert survey(Host(str(path), thorough=True)) == report


def test_what_the_probes_use_is_kept(tmp_path: Path) -> None:
    files = {
        path: text
        for place in ("units and rules", "the environment of the system manager")
        for path, text in PLACES[place][0].items()
    }
    root = plant(tmp_path, {"proc/version": "x", **files}, PLACES["units and rules"][1])
    report = survey(Host(str(root)))
    assert report.vfio is not None
    assert report.vfio.data is not None
    assert [line.arguments for line in report.vfio.data.directives] == ["0000:3b:00.1", "0000:3b:00.0"]
    assert report.watchdog is not None
    assert report.watchdog.data is not None
