"""`hostagent render`: what it prints and writes, and the one message where it does neither."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from hostagent.cli import main
from hostagent.values.plain import json_text
from tests.cli.run import hostagent
from tests.plan.machines import Machine, worker
from tests.plant import pci_function, plant

MANUAL = """\
platform:
  name: openshift
  version: 4.20
devices:
  - id: 10de:1eb8
    resourceName: nvidia.com/TU104GL_Tesla_T4
"""

# What no tree on a disk shows: said once, with who looks.
UNSEEN = (
    "hostagent: note: storage: not looked at: what is mounted in other mount namespaces; `hostagent probe -o json` on the "
    "machine looks\n"
    "hostagent: note: storage: not looked at: which processes have disks open; `hostagent probe -o json` as root on the machine "
    "looks\n"
)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return planted(worker(), tmp_path / "node1")


def planted(machine: Machine, at: Path) -> Path:
    at.mkdir()
    return plant(at, machine.files, machine.links)


def profile(tmp_path: Path, text: str = MANUAL) -> str:
    path = tmp_path / "profile.yaml"
    path.write_text(text)
    return str(path)


def report(machine: Machine, at: Path) -> str:
    at.write_text(json_text(machine.report()))
    return str(at)


def refused(capsys: pytest.CaptureFixture[str], *words: str, status: int = 2) -> str:
    """The message of a command that does nothing."""
    assert main(["render", *words]) == status
    out, err = capsys.readouterr()
    assert out == ""
    return err


def test_one_target_is_printed(root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["render", "kargs", "--profile", profile(tmp_path), "--root", str(root)]) == 0
    assert capsys.readouterr() == ("intel_iommu=on\n", UNSEEN)


def test_as_a_process_in_the_profiles_directory(root: Path, tmp_path: Path) -> None:
    profile(tmp_path)
    done = hostagent("render", "kargs", "--root", str(root), directory=tmp_path)
    assert (done.status, done.out, done.err) == (0, "intel_iommu=on\n", UNSEEN)


def test_two_files_of_a_target_are_two_documents(
    root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["render", "machineconfig", "--split", "--profile", profile(tmp_path), "--root", str(root)]) == 0
    first, second = capsys.readouterr().out.split("---\n")
    assert "  name: 100-worker-iommu\n" in first
    assert "  name: 100-worker-vfiopci\n" in second


def test_several_files_are_told_apart_by_their_paths(
    root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    wishes = profile(tmp_path, MANUAL + "watchdog: {module: softdog}\n")
    assert main(["render", "modules-load", "--profile", wishes, "--root", str(root)]) == 0
    out = capsys.readouterr().out
    assert [line for line in out.splitlines() if not line.startswith("# Written")] == [
        "# ==> /etc/modules-load.d/vfio-pci.conf <==",
        "# devices[0] (nvidia.com/TU104GL_Tesla_T4)",
        "vfio-pci",
        "",
        "# ==> /etc/modules-load.d/hostagent.conf <==",
        "# watchdog",
        "softdog",
    ]


def test_files_go_below_a_directory(root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = "platform: {name: debian}\ndevices: [{id: '10de:1eb8'}, {address: 0000:02:00.0}]\n"
    into = tmp_path / "out" / "deep"
    words = ["render", "all", "--profile", profile(tmp_path, text), "--root", str(root), "-o", str(into)]
    assert main(words) == 0
    out, err = capsys.readouterr()
    unit = "etc/systemd/system/hostagent-vfio-0000-02-00.0.service"
    modes = {
        str(path.relative_to(into)): stat.S_IMODE(path.stat().st_mode) for path in into.rglob("*") if path.is_file()
    }
    assert modes == {
        "etc/modprobe.d/vfio.conf": 0o644,
        "etc/modules-load.d/vfio-pci.conf": 0o644,
        "etc/initramfs-tools/hooks/hostagent": 0o755,
        "etc/default/grub.d/50-hostagent.cfg": 0o644,
        unit: 0o644,
    }
    assert out == ""
    assert (
        err
        == f"{UNSEEN}hostagent: enable the units where you put them: systemctl enable hostagent-vfio-0000-02-00.0.service\n"
    )
    before = {path: path.read_bytes() for path in into.rglob("*") if path.is_file()}
    (into / unit).write_text("by hand")
    assert main(words) == 0
    assert {path: path.read_bytes() for path in into.rglob("*") if path.is_file()} == before


def test_notes_are_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    without = Machine().put({"proc/cmdline": "intel_iommu=off\n"})
    names = [report(worker(), tmp_path / "node1.json"), report(without, tmp_path / "node2.json")]
    assert main(["render", "kargs", "--profile", profile(tmp_path), "--report", *names]) == 0
    assert capsys.readouterr() == (
        "intel_iommu=on\n",
        (
            f"{UNSEEN.replace('storage', 'node1: storage')}"
            "hostagent: note: node2: devices[0]: it has no 10de:1eb8\n"
            "hostagent: these have to go from the kernel command line: intel_iommu=off\n"
        ),
    )


def test_nothing_to_write_is_said(root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    wishes = profile(tmp_path, "platform: {name: debian}\n")
    assert main(["render", "modprobe", "--profile", wishes, "--root", str(root)]) == 0
    assert capsys.readouterr() == ("", "hostagent: nothing to write: the profile asks for nothing that belongs there\n")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "platform: {name: debian}\ndevices:\n  - id: 10de:1eb8\n  - id: 10de:ffff\n",
            ":4: devices[1]: expected 10de:ffff on a node given, and found none\n",
        ),
        (
            "platform: {name: debian}\ndevices:\n  - class: 0108\n",
            (
                ":3: devices[0]: node1: expected what may be taken, and 0000:03:00.0 may not: it carries /, nvme0n1"
                " (proc/1/mountinfo: / on nvme0n1 on 0000:03:00.0)\n"
            ),
        ),
        (
            "platform: {name: debian}\nhugepages:\n  pools:\n    - {size: 2M, count: 1, node: 7}\n",
            (
                ":4: hugepages.pools[0]: node1: there is no NUMA node 7: expected one of 0"
                " (sys/devices/system/node: nodes: 0)\n"
            ),
        ),
        (
            "platform: {name: openshift, version: 4.99}\n",
            ":1: platform.version: unknown openshift version '4.99': expected one of 4.8, ",
        ),
        (
            "platform: {name: debian}\ndevices:\n  - id: 10de:1eb8\n    resourceName: T4\n",
            ":4: devices[0].resourceName: ",
        ),
        ("platform: {name: debian}\n", ":1: platform.name: Butane is for openshift and fcos, not for debian\n"),
        (
            "platform: {name: fcos, version: 1.5.0}\nhugepages: {pools: [{size: 1G, count: 2}, {size: 2M, count: 2}]}\n",
            ": kernel arguments: 'hugepages=2' is given twice, and Ignition adds each argument only once\n",
        ),
    ],
)
def test_bad_input_is_one_line_and_no_file(
    root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str, said: str
) -> None:
    path = profile(tmp_path, text)
    into = tmp_path / "out"
    err = refused(capsys, "modprobe", "butane", "--profile", path, "--root", str(root), "-o", str(into))
    assert err.startswith(f"hostagent: {path}{said}")
    assert err.count("\n") == 1
    assert not into.exists()


def test_the_first_of_several_refusals_is_said_and_counted(
    root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = profile(tmp_path, "platform: {name: debian}\ndevices: [{class: 0108}, {id: '8086:10d3'}]\n")
    err = refused(capsys, "modprobe", "--profile", path, "--root", str(root))
    assert err.endswith("; and 1 more of the kind: see `hostagent check`\n")


def test_a_fleet_has_one_configuration(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    directory = tmp_path / "reports"
    directory.mkdir()
    for name in ("node1", "node2"):
        report(worker(), directory / f"{name}.json")
    (directory / "README").write_text("not a report")
    assert main(["render", "modprobe", "--profile", profile(tmp_path), "--report", str(directory)]) == 0
    together = capsys.readouterr().out
    one = str(directory / "node2.json")
    assert main(["render", "modprobe", "--profile", profile(tmp_path), "--report", one]) == 0
    assert capsys.readouterr().out == together


def test_a_fleet_that_differs_is_named_with_roles(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    other = (
        worker().function("0000:08:00.0", "10de:1eb8", "030200", group=20).disk("nvme9n1", "0000:08:00.0", on="/boot")
    )
    names = [report(worker(), tmp_path / "node1.json"), report(other, tmp_path / "node2.json")]
    err = refused(capsys, "modprobe", "--profile", profile(tmp_path), "--report", *names)
    first, *others = err.splitlines()
    assert first.startswith(
        f"hostagent: {tmp_path}/profile.yaml:5: devices[0]: node2: expected what may be taken, and 0000:08:00.0 "
    )
    assert others == [
        "  not on node2: it carries /boot, nvme9n1",
        "  role worker-1: node1: can have it",
        "  role worker-2 (0000:08:00.0 10de:1eb8 0000:0000): node2: cannot have it either",
    ]


def test_captures_are_reports_too(root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    capture = tmp_path / "node1.tar.gz"
    assert main(["capture", "--root", str(root), str(capture)]) in (0, 3)
    capsys.readouterr()
    assert main(["render", "kargs", "--profile", profile(tmp_path), "--report", str(capture)]) == 0
    assert capsys.readouterr().out == "intel_iommu=on\n"


def test_updating_a_resource(root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    wishes = profile(tmp_path)
    assert main(["render", "kubevirt", "--profile", wishes, "--root", str(root), "-o", str(tmp_path)]) == 0
    there = tmp_path / "kubevirt.yaml"
    before = there.read_text()
    empty = tmp_path / "empty.yaml"
    empty.write_text("platform: {name: openshift, version: 4.20}\n")
    words = ["render", "kubevirt", "--profile", str(empty), "--root", str(root), "--update", str(there)]
    capsys.readouterr()
    assert main(words) == 0
    assert capsys.readouterr().out == before
    assert main([*words, "--previous", wishes]) == 0
    assert "T4" in before
    assert "T4" not in capsys.readouterr().out


def test_what_an_update_cannot_take(root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    there = tmp_path / "vm.yaml"
    words = ("kubevirt", "--profile", profile(tmp_path), "--root", str(root), "--update", str(there))
    assert refused(capsys, *words) == f"hostagent: {there}: No such file or directory\n"
    there.write_bytes(b"\xff")
    assert refused(capsys, *words) == f"hostagent: --update {there}: expected UTF-8 text\n"
    there.write_text("apiVersion: v1\nkind: Pod\n")
    assert refused(capsys, *words).startswith(f"hostagent: {there}: apiVersion 'v1', kind 'Pod': expected one of ")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("modprobe", "systemd"), "several targets: expected -o DIR to write their files to\n"),
        (("all",), "several targets: expected -o DIR to write their files to\n"),
        (("modprobe", "--split"), "--split: expected a target among butane, machineconfig, all\n"),
        (
            ("modprobe", "--update", "x"),
            "--update: expected one target among hyperconverged, hyperconverged-v1, kubevirt\n",
        ),
        (("kubevirt", "--previous", "x"), "--previous: expected --update FILE with it\n"),
        (("grub",), "argument TARGET: invalid choice: 'grub' (choose from "),
        (("modprobe", "--profile", "/none"), "/none: No such file or directory\n"),
    ],
)
def test_usage(words: tuple[str, ...], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert refused(capsys, *words).startswith(f"hostagent: {said}")


def test_no_profile(tmp_path: Path) -> None:
    done = hostagent("render", "modprobe", directory=tmp_path)
    assert (done.status, done.out) == (2, "")
    assert (
        done.err == "hostagent: no profile: expected --profile FILE, or profile.yaml or /etc/hostagent/profile.yaml\n"
    )


def test_reports_that_are_none(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    wishes = profile(tmp_path)
    empty = tmp_path / "empty"
    empty.mkdir()
    said = f"hostagent: --report {empty}: expected files *.json or *.tar.gz in it\n"
    assert refused(capsys, "kargs", "--profile", wishes, "--report", str(empty)) == said
    said = f"hostagent: --report {empty}/none: No such file or directory\n"
    assert refused(capsys, "kargs", "--profile", wishes, "--report", f"{empty}/none") == said
    odd = tmp_path / "odd.json"
    odd.write_text("{}")
    assert refused(capsys, "kargs", "--profile", wishes, "--report", str(odd)).startswith(
        f"hostagent: --report {odd}: "
    )
    twin = empty / "node1.json"
    names = [report(worker(), tmp_path / "node1.json"), report(worker(), twin)]
    said = f"hostagent: --report: two reports of node node1: {names[0]} and {twin}; expected one of each\n"
    assert refused(capsys, "kargs", "--profile", wishes, "--report", *names) == said


def test_a_directory_that_cannot_be_written(root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    taken = tmp_path / "taken"
    taken.write_text("a file")
    words = ("kargs", "--profile", profile(tmp_path), "--root", str(root), "-o", str(taken))
    assert refused(capsys, *words, status=4).startswith(f"hostagent: {taken}/kernel-arguments: ")
    assert taken.read_text() == "a file"


def test_all_that_keeps_a_function_is_said_what_is_known_first(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    base = "sys/bus/pci/devices/0000:03:00.0"
    files = pci_function("0000:03:00.0", driver="ixgbe", sriov_totalvfs="4", sriov_numvfs="2")
    files |= {"sys/class/net/eth1/operstate": "up\n", "proc/1/net/route": "Iface\n"}
    root = plant(tmp_path / "root", files, {f"{base}/driver": "../ixgbe", "sys/class/net/eth1/device": f"/{base}"})
    path = profile(tmp_path, "platform: {name: debian}\ndevices: [{class: 02}]\n")
    said = refused(capsys, "modprobe", "--profile", path, "--root", str(root)).partition(" may not: ")[2]
    first, known, unknown = said.partition("(sys/bus/pci/devices/0000:03:00.0/sriov_numvfs: 2); it is not known ")
    assert (first, bool(known)) == ("2 virtual functions stand on it ", True)
    assert "whether eth1, which it carries, is in use" in unknown
