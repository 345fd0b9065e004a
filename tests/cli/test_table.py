"""The page: whole for small machines, and for every machine never wider than its paper nor driven by what hardware says."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from rich.cells import cell_len

from hostagent.cli.table import page
from hostagent.cli.table.paper import Paper, paper
from hostagent.cli.table.problems import SHOWN
from hostagent.host import Host
from hostagent.report import NodeReport, survey
from hostagent.values.record import replaced
from tests.plant import pci_function, plant, unreadable
from tests.roots import roots

WIDE = Paper(width=120, colour=False, encoding="utf-8")
NARROW = Paper(width=40, colour=False, encoding="utf-8")
COLOURED = Paper(width=120, colour=True, encoding="utf-8")
_ESCAPE = re.compile(r"\x1b\[[0-9;]*m")

PCI_IDS = """\
10de  NVIDIA Corporation
\t1eb8  TU104GL [Tesla T4]
C 02  Network controller
\t00  Ethernet controller
C 03  Display controller
\t02  3D controller
"""


def surveyed(root: Path | str, *only: str) -> NodeReport:
    host = Host(str(root), thorough=True)
    report = survey(host, frozenset(only) if only else None)
    host.close()
    return report


def grouped(root: Path, groups: dict[int, dict[str, dict[str, str]]]) -> Path:
    """A machine of IOMMU groups: number -> address -> attributes of the function."""
    files: dict[str, str] = {"usr/share/misc/pci.ids": PCI_IDS}
    links: dict[str, str] = {}
    for number, functions in groups.items():
        files[f"sys/kernel/iommu_groups/{number}/type"] = "DMA-FQ\n"
        for address, attributes in functions.items():
            files |= pci_function(address, **attributes)
            links[f"sys/bus/pci/devices/{address}/iommu_group"] = f"../../../../kernel/iommu_groups/{number}"
            links[f"sys/kernel/iommu_groups/{number}/devices/{address}"] = f"../../../../bus/pci/devices/{address}"
    return plant(root, files, links)


CARD = {"id": "10DE:1EB8", "cls": "30200", "driver": "vfio-pci"}
NIC = {"id": "8086:10D3", "cls": "20000", "driver": "e1000e", "numa_node": "1"}
BRIDGE = {"id": "1B36:000C", "cls": "60400", "driver": "pcieport"}


@pytest.fixture
def machine(tmp_path: Path) -> Path:
    return grouped(
        tmp_path,
        {
            0: {"0000:00:01.0": BRIDGE},
            13: {"0000:01:00.0": CARD},
            14: {"0000:02:00.0": CARD, "0000:02:00.1": NIC},
            15: {"0000:03:00.0": NIC},
        },
    )


def test_groups_are_a_tree(machine: Path) -> None:
    assert (
        page(surveyed(machine, "pci", "iommu", "vfio"), WIDE)
        == """\
Machine
IOMMU  on · 4 groups · DMA-FQ domains
VFIO   no vfio-pci to be seen · 2 functions bound

IOMMU groups  4 groups · 1 vfio-bound · 1 blocked · 1 protected · 1 platform
 0 platform    0000:00:01.0  1b36:000c  pcieport  bridge
13 vfio-bound  0000:01:00.0  10de:1eb8  vfio-pci  3D controller: NVIDIA Corporation TU104GL [Tesla T4]
14 blocked     group 14 is not viable: 0000:02:00.1 is bound to e1000e
├── 0000:02:00.0  10de:1eb8  vfio-pci  3D controller: NVIDIA Corporation TU104GL [Tesla T4]
└── 0000:02:00.1  8086:10d3  e1000e    Ethernet controller · node 1
15 protected   0000:03:00.0  8086:10d3  e1000e    Ethernet controller · node 1
"""
    )


def test_narrow_paper_has_two_lines_a_function(machine: Path) -> None:
    assert (
        page(surveyed(machine, "pci", "iommu", "vfio"), NARROW)
        == """\
Machine
IOMMU  on · 4 groups · DMA-FQ domains
VFIO   no vfio-pci to be seen · 2
       functions bound

IOMMU groups  4 groups · 1 vfio-bound ·
1 blocked · 1 protected · 1 platform
 0 platform
└── 0000:00:01.0 pcieport
      1b36:000c bridge
13 vfio-bound
└── 0000:01:00.0 vfio-pci
      10de:1eb8 3D controller: NVIDIA
      Corporation TU104GL [Tesla T4]
14 blocked     group 14 is not viable:
0000:02:00.1 is bound to e1000e
├── 0000:02:00.0 vfio-pci
│     10de:1eb8 3D controller: NVIDIA
│     Corporation TU104GL [Tesla T4]
└── 0000:02:00.1 e1000e
      8086:10d3 Ethernet controller ·
      node 1
15 protected
└── 0000:03:00.0 e1000e
      8086:10d3 Ethernet controller ·
      node 1
"""
    )


@pytest.mark.parametrize(
    ("class_id", "name"),
    [
        ("00ff00", "unclassified device"),
        ("090000", "input device controller"),
        ("0a0000", "docking station"),
        ("0e0000", "intelligent controller"),
        ("0f0100", "satellite communications controller"),
        ("130000", "non-essential instrumentation"),
    ],
)
def test_every_class_has_a_name_without_pci_ids(tmp_path: Path, class_id: str, name: str) -> None:
    root = plant(tmp_path, pci_function("0000:00:02.0", cls=class_id))
    assert name in page(surveyed(root, "pci"), WIDE)


def test_colour_says_viable_and_blocked(machine: Path) -> None:
    lines = page(surveyed(machine, "pci", "iommu", "vfio"), COLOURED).splitlines()
    assert [line for line in lines if "\x1b[32mvfio-bound" in line and "0000:01:00.0" in line]
    assert [line for line in lines if "\x1b[1;31mblocked" in line]
    assert [line for line in lines if "\x1b[2mplatform" in line and "0000:00:01.0" in line]
    uncoloured = page(surveyed(machine, "pci", "iommu", "vfio"), WIDE).splitlines()
    assert [_ESCAPE.sub("", line).rstrip() for line in lines] == uncoloured


def test_long_rows_of_equal_groups_are_folded(tmp_path: Path) -> None:
    many = {number: {f"0000:03:{number:02x}.0": NIC} for number in range(1, 21)}
    root = grouped(tmp_path, many | {30: {"0000:04:00.0": CARD}})
    lines = page(surveyed(root, "pci", "iommu", "vfio"), WIDE).splitlines()
    first = lines.index(" 1 protected   0000:03:01.0  8086:10d3  e1000e    Ethernet controller · node 1")
    assert lines[first + 1 :] == [
        " ⋮ 2 to 20: 19 more of 8086:10d3, 0000:03:02.0 to 0000:03:14.0",
        "30 vfio-bound  0000:04:00.0  10de:1eb8  vfio-pci  3D controller: NVIDIA Corporation TU104GL [Tesla T4]",
    ]


def test_groups_nobody_judged_have_no_word(machine: Path) -> None:
    shown = page(surveyed(machine, "pci", "iommu"), WIDE)
    assert "unknown" not in shown
    assert "\nIOMMU groups  4 groups\n 0  0000:00:01.0" in shown
    assert "\n13  0000:01:00.0" in shown


def test_groups_the_survey_failed_to_judge_are_unknown(machine: Path) -> None:
    report = surveyed(machine, "pci", "iommu", "vfio")
    assert report.vfio is not None
    failed = replaced(report, vfio=replaced(report.vfio, data=None))
    assert "13 unknown     0000:01:00.0" in page(failed, WIDE)


def test_a_group_the_firmware_uses_is_not_viable(machine: Path) -> None:
    region = "0x00000000db000000 0x00000000df7fffff direct\n"
    (machine / "sys/kernel/iommu_groups/13/reserved_regions").write_text(region)
    assert "13 blocked     group 13: firmware" in page(surveyed(machine, "pci", "iommu", "vfio"), WIDE)


def test_groups_made_without_an_iommu_isolate_nothing(machine: Path) -> None:
    (machine / "sys/kernel/iommu_groups/13/name").write_text("vfio-noiommu\n")
    assert "13 no IOMMU    group 13 is one of vfio's mode without an IOMMU" in page(
        surveyed(machine, "pci", "iommu", "vfio"), WIDE
    )


def test_machines_without_groups_have_a_list(tmp_path: Path) -> None:
    root = plant(tmp_path, pci_function("0000:00:01.0", **NIC) | pci_function("0000:00:02.0", cls="ff0000"))
    assert (
        page(surveyed(root, "pci"), WIDE)
        == """\
PCI functions  2
0000:00:01.0  8086:10d3  e1000e     network controller · node 1
0000:00:02.0  8086:10d3  no driver  class ff0000
"""
    )


def test_functions_without_a_group_follow_the_tree(machine: Path) -> None:
    plant(machine, pci_function("0000:09:00.0", **NIC))
    lines = page(surveyed(machine, "pci", "iommu", "vfio"), WIDE).splitlines()
    assert lines[-2:] == [
        "PCI functions without an IOMMU group  1",
        "0000:09:00.0  8086:10d3  e1000e    Ethernet controller · node 1",
    ]


def test_problems_are_last_and_a_flood_is_cut(tmp_path: Path) -> None:
    root = plant(tmp_path, {})
    for number in range(SHOWN + 3):
        plant(root, pci_function(f"0000:00:{number:02x}.0"))
        unreadable(root, f"sys/bus/pci/devices/0000:00:{number:02x}.0/numa_node")
    lines = page(surveyed(root, "pci"), WIDE).splitlines()
    start = lines.index("Problems  11 problems")
    assert lines[start + 1] == (
        "  pci unreadable sys/bus/pci/devices/0000:00:00.0/numa_node: ELOOP: Too many levels of symbolic links"
    )
    assert lines[start + SHOWN + 1 :] == ["  pci and 3 more: -o json has them all"]


@pytest.mark.parametrize(
    "said",
    ["\x1b[2J\x1b[31mred", "[red]markup[/red]", "[link=http://x]x", "bell\x07", "\x9b31m", "right\u202eleft", "a\nb"],
)
def test_text_of_hardware_drives_nothing(said: str, tmp_path: Path) -> None:
    place = "sys/class/watchdog/watchdog0"
    root = plant(tmp_path, pci_function("0000:00:01.0"), {"sys/bus/pci/devices/0000:00:01.0/driver": f"../{said}"})
    plant(
        root,
        {f"{place}/identity": said, f"{place}/state": "active", "proc/cmdline": f"iommu={said}", "proc/version": said},
    )
    unreadable(root, f"{place}/timeout")
    text = page(surveyed(root), COLOURED)
    rest = _ESCAPE.sub("", text)
    assert all(letter.isprintable() or letter == "\n" for letter in rest)
    assert "http://x" not in text or "[link=http://x]" in rest
    for style in _ESCAPE.findall(text):
        assert style in {f"\x1b[{code}m" for code in ("0", "1", "2", "32", "33", "36", "1;31")}
    if said.isprintable():
        assert said in rest


@pytest.mark.parametrize("root", roots())
@pytest.mark.parametrize("width", [40, 90])
def test_no_line_is_wider_than_the_paper(root: str, width: int) -> None:
    text = page(surveyed(root), Paper(width=width, colour=False, encoding="utf-8"))
    assert [line for line in text.splitlines() if cell_len(line) > width] == []
    assert text.startswith("Machine\n")
    assert text.endswith("\n")
    assert not text.endswith("\n\n")


@pytest.mark.parametrize("root", roots())
def test_a_page_for_ascii_is_ascii(root: str) -> None:
    text = page(surveyed(root), Paper(width=100, colour=False, encoding="ascii"))
    assert text.encode("ascii", "replace").count(b"?") == text.count("?")


@pytest.mark.parametrize(
    ("environment", "terminal", "colour"),
    [
        ({"TERM": "xterm"}, 80, True),
        ({"TERM": "dumb"}, 80, False),
        ({}, 80, False),
        ({"TERM": "xterm"}, None, False),
        ({"TERM": "xterm", "NO_COLOR": "1"}, 80, False),
        ({"TERM": "xterm", "NO_COLOR": ""}, 80, True),
        ({"TERM": "xterm", "CLICOLOR": "0"}, 80, False),
        ({"CLICOLOR_FORCE": "1"}, None, True),
        ({"FORCE_COLOR": "3"}, None, True),
        ({"FORCE_COLOR": "0"}, None, False),
        ({"FORCE_COLOR": "1", "NO_COLOR": "1"}, None, False),
    ],
)
def test_colour_follows_the_conventions(environment: dict[str, str], terminal: int | None, colour: bool) -> None:  # noqa: FBT001
    assert paper(environment, terminal=terminal, encoding="utf-8").colour is colour


@pytest.mark.parametrize(
    ("columns", "terminal", "width"),
    [
        (None, 97, 97),
        (None, None, 200),
        ("40", 97, 40),
        ("40", None, 40),
        ("x", 97, 97),
        ("0", 97, 97),
        ("3", 97, 20),
        ("9" * 5000, 97, 97),
    ],
)
def test_width_follows_the_terminal(columns: str | None, terminal: int | None, width: int) -> None:
    environment = {} if columns is None else {"COLUMNS": columns}
    assert paper(environment, terminal=terminal, encoding="utf-8").width == width
