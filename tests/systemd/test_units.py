"""Units as systemd itself reads and scores them. That they run is for the lab."""

from __future__ import annotations

import configparser
import os
import re
import shutil
import struct
import subprocess
from pathlib import Path

import pytest

from hostagent.host.modules import UNIT_PLACE
from hostagent.settings import FEATURES_D, Settings

UNITS = Path(__file__).resolve().parents[2] / "systemd"
SERVICES = ("hostagent", "hostagent-socket", "hostagent-textfile")
ANALYZE = shutil.which("systemd-analyze")
needs_systemd = pytest.mark.skipif(ANALYZE is None, reason="systemd-analyze is not installed")


def unit(name: str) -> dict[str, dict[str, list[str]]]:
    """Sections, keys and every value of a unit file."""
    found: dict[str, dict[str, list[str]]] = {}
    section: dict[str, list[str]] = {}
    for line in (UNITS / name).read_text().splitlines():
        if line.startswith("["):
            section = found.setdefault(line.strip("[]"), {})
        elif "=" in line and not line.startswith("#"):
            key, _, value = line.partition("=")
            section.setdefault(key, []).append(value)
    return found


@needs_systemd
@pytest.mark.parametrize(("name", "most"), [("hostagent", 1.3), ("hostagent-socket", 0.5), ("hostagent-textfile", 0.5)])
def test_exposure(name: str, most: float) -> None:
    command = [str(ANALYZE), "security", "--offline=true", "--no-pager", str(UNITS / f"{name}.service")]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    score = re.search(rf"Overall exposure level for {name}\.service: ([0-9.]+)", said)
    assert score is not None
    assert float(score[1]) <= most


@needs_systemd
def test_systemd_reads_every_line(tmp_path: Path) -> None:
    for path in (*UNITS.glob("*.service"), *UNITS.glob("*.socket"), *UNITS.glob("*.timer")):
        text = path.read_text().replace("/usr/bin/hostagent", "/bin/true")
        (tmp_path / path.name).write_text(re.sub("^Documentation=.*\n", "", text, flags=re.MULTILINE))
    units = sorted(str(path) for path in tmp_path.iterdir())
    assert len(units) == 5
    environment = {"PATH": os.environ["PATH"], "SYSTEMD_UNIT_PATH": f"{tmp_path}:"}
    said = subprocess.run(
        [str(ANALYZE), "verify", "--man=no", *units], capture_output=True, text=True, check=False, env=environment
    )
    assert (said.returncode, said.stderr) == (0, "")


def test_variants_differ_in_the_network_only() -> None:
    plain, private = unit("hostagent.service")["Service"], unit("hostagent-socket.service")["Service"]
    different = {key for key in plain.keys() | private.keys() if plain.get(key) != private.get(key)}
    assert different == {"Sockets", "PrivateNetwork", "RestrictAddressFamilies", "IPAddressAllow"}


# What a service sees of the machine, and the one value each may have: these hide nothing that is read. PrivateTmp= and
# PrivateMounts= change what is mounted for the agent only, and it reads what is mounted for process 1; PrivateDevices= hides
# nodes it never opens.
SEES = {
    "ProtectHome": "read-only",
    "ProtectProc": "default",
    "ProcSubset": "all",
    "ProtectSystem": "strict",
    "ProtectKernelTunables": "yes",
    "ProtectControlGroups": "yes",
    "PrivateMounts": "yes",
    "PrivateTmp": "yes",
    "PrivateDevices": "yes",
}
# Each of these could take facts away, and stands in no unit.
HIDES = ("InaccessiblePaths", "NoExecPaths", "TemporaryFileSystem", "RootDirectory", "RootImage", "MountAPIVFS", "MountFlags",
         "PrivatePIDs", "RestrictFileSystems", "BindPaths", "ProtectControlGroupsEx")  # fmt: skip


@pytest.mark.parametrize("name", SERVICES)
def test_no_unit_hides_what_is_mounted_or_swapped_to(name: str) -> None:
    service = unit(f"{name}.service")["Service"]
    assert {key: service[key] for key in SEES} == {key: [value] for key, value in SEES.items()}
    assert [key for key in HIDES if key in service] == []


@pytest.mark.parametrize("name", SERVICES)
def test_no_privilege(name: str) -> None:
    service = unit(f"{name}.service")["Service"]
    assert service["CapabilityBoundingSet"] == service["AmbientCapabilities"] == [""]
    assert service["DynamicUser"] == service["PrivateDevices"] == service["NoNewPrivileges"] == ["yes"]


def test_the_default_files_may_be_written_and_their_directories_made_anew() -> None:
    sinks = Settings().sinks
    for name in ("hostagent.service", "hostagent-socket.service"):
        service = unit(name)["Service"]
        allowed = [path.lstrip("-") for value in service["ReadWritePaths"] for path in value.split()]
        for path in (sinks.nfd.path, sinks.textfile.path):
            assert os.path.dirname(os.path.dirname(path)) in allowed
        assert os.path.dirname(sinks.report.path) in [f"/run/{value}" for value in service["RuntimeDirectory"]]


@pytest.mark.parametrize("name", SERVICES)
def test_module_indexes_are_shown_where_the_agent_looks(name: str) -> None:
    service = unit(f"{name}.service")["Service"]
    assert service["ProtectKernelModules"] == ["yes"]
    assert service["BindReadOnlyPaths"] == [f"-/usr/lib/modules:/{UNIT_PLACE}"]


def test_the_timer_starts_its_service() -> None:
    parser = configparser.ConfigParser()
    parser.read(UNITS / "hostagent-textfile.timer")
    assert "unit" not in parser["Timer"]
    assert (UNITS / "hostagent-textfile.service").exists()


needs_tmpfiles = pytest.mark.skipif(
    os.geteuid() != 0 or shutil.which("systemd-tmpfiles") is None,
    reason="systemd-tmpfiles is not installed, or not root, who alone may make directories of other groups",
)


def set_up(root: Path) -> int:
    """What systemd does with our sysusers.d and tmpfiles.d at boot, below `root`; the number of the user and its group."""
    (root / "etc").mkdir()
    for folder in ("sysusers.d", "tmpfiles.d"):
        (root / "usr/lib" / folder).mkdir(parents=True)
        shutil.copy(UNITS / folder / "hostagent.conf", root / "usr/lib" / folder)
    subprocess.run(["systemd-sysusers", f"--root={root}", "hostagent.conf"], check=True, capture_output=True)
    # libacl knows no --root: for it alone, the users of the root are those of the machine.
    seen = " && ".join(f"mount --bind {root}/etc/{name} /etc/{name}" for name in ("passwd", "group"))
    command = f"{seen} && systemd-tmpfiles --root={root} --create hostagent.conf"
    done = subprocess.run(["unshare", "--mount", "sh", "-c", command], capture_output=True, text=True, check=False)
    if "unshare failed" in done.stderr or "permission denied" in done.stderr:
        pytest.skip("nothing can be mounted here")
    assert (done.returncode, done.stderr) == (0, "")
    passwd = (root / "etc/passwd").read_text().splitlines()
    return int(next(line for line in passwd if line.startswith("hostagent:")).split(":")[2])


@needs_tmpfiles
def test_the_features_directory_is_made(tmp_path: Path) -> None:
    number = set_up(tmp_path)
    made = (tmp_path / FEATURES_D.lstrip("/")).stat()
    assert (oct(made.st_mode & 0o777), made.st_uid, made.st_gid) == ("0o775", 0, number)


@needs_tmpfiles
@pytest.mark.parametrize("place", ["var/lib/prometheus/node-exporter", "var/lib/node_exporter/textfile_collector"])
def test_the_textfile_directory_is_opened_where_there_is_one(tmp_path: Path, place: str) -> None:
    (tmp_path / place).mkdir(parents=True)
    number = set_up(tmp_path)
    # acl(5) as the kernel keeps it: a version, then entries of tag, permissions, user; 2 is a named user, 7 is rwx.
    entries = struct.iter_unpack("<HHI", os.getxattr(tmp_path / place, "system.posix_acl_access")[4:])
    assert (2, 7, number) in list(entries)
    others = {"var/lib/prometheus", "var/lib/node_exporter"} - {place.rpartition("/")[0]}
    assert [other for other in others if (tmp_path / other).exists()] == []
