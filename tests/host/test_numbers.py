"""Numbers no kernel has are Problems, and every format still says the rest."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from hostagent.cli import main
from hostagent.values.number import whole
from tests.plant import pci_function, plant

WATCHDOG = "sys/class/watchdog/watchdog0"
PAGES = "sys/kernel/mm/hugepages/hugepages-2048kB"


@pytest.mark.parametrize("output", ["json", "yaml", "prom", "ansible", "labels", "table"])
@pytest.mark.parametrize(
    ("path", "text"),
    [
        (f"{WATCHDOG}/bootstatus", "0x" + "f" * 4090),
        (f"{WATCHDOG}/bootstatus", "-5"),
        (f"{WATCHDOG}/timeout", "-3"),
        ("proc/sys/vm/overcommit_kbytes", "9" * 4299),
        (f"{PAGES}/nr_hugepages", "9" * 400),
        (f"{PAGES}/nr_hugepages", "-4"),
        ("proc/sys/kernel/tainted", "-5"),
        ("sys/bus/pci/devices/0000:00:01.0/max_link_speed", "1" * 400 + " GT/s"),
        ("sys/bus/pci/devices/0000:00:01.0/current_link_width", "-1"),
    ],
)
def test_a_number_no_kernel_has(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], path: str, text: str, output: str
) -> None:
    files = pci_function("0000:00:01.0") | {f"{WATCHDOG}/identity": "x\n", f"{PAGES}/free_hugepages": "0\n"}
    root = str(plant(tmp_path, files | {path: text}))
    assert main(["probe", "--root", root, "-o", output]) == 3
    out = capsys.readouterr().out
    if output == "json":
        found = json.loads(out, parse_constant=pytest.fail)
        (problem,) = [one for name in found if name != "schema_version" for one in found[name]["problems"]]
        assert (problem["path"], problem["kind"]) == (path, "malformed")


@pytest.mark.parametrize(
    ("text", "number"),
    [
        (str((1 << 64) - 1), (1 << 64) - 1),
        (str(1 << 64), None),
        (str(-(1 << 63)), -(1 << 63)),
        (str(-(1 << 63) - 1), None),
        ("0" * 5000, None),
    ],
)
def test_64_bits(text: str, number: int | None) -> None:
    assert whole(text) == number
