"""Only the kernel's blanks part its words: Python finds more, and a link, a driver or a module may be called so."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import hostagent
from hostagent.host import crashdump, kubelet_files, redact_boot, redact_guests, redact_modules, systemd
from hostagent.host.modprobe import directives, loads
from hostagent.host.modules import loaded_modules, static_nodes
from hostagent.host.os_release import variables
from hostagent.host.overrides import kept_rules
from hostagent.host.redact_names import Pseudonyms
from hostagent.values import cpuinfo, meminfo
from hostagent.values.blanks import BLANKS, fields, is_blank, lines, stripped
from hostagent.values.choice import chosen
from hostagent.values.cpuset import CpuSet
from hostagent.values.duration import parse_seconds
from hostagent.values.number import whole
from hostagent.values.size import parse_size
from tests.plant import plant, reader

PACKAGE = Path(hostagent.__file__).parent
# Everything that takes text of the machine apart.
READERS = [
    path.relative_to(PACKAGE).as_posix()
    for path in (
        *(
            path
            for place in ("advice", "areas", "host", "plan", "values")
            for path in sorted((PACKAGE / place).rglob("*.py"))
        ),
        PACKAGE / "daemon" / "frugal.py",
    )
]
# Calls that may stay: how many, and why.
ALLOWED = {
    "values/blanks.py": (
        2,
        "the one place: of bytes, and of ASCII without 0x1c to 0x1f, Python's blanks are the kernel's",
    ),
    "host/kernelfs.py": (1, "bytes of fdinfo"),
    "plan/draft.py": (1, "makes a name of ASCII letters between spaces of its own"),
    "plan/fleet.py": (1, "a heading of its own words"),
}
BY_BLANKS = ("split", "rsplit", "strip", "lstrip", "rstrip")


def python_blanks(source: str) -> list[int]:
    """The lines on which text is parted or trimmed by what Python takes for a blank or the end of a line."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            first = (
                node.args[0]
                if node.args
                else next((one.value for one in node.keywords if one.arg in ("sep", "chars")), None)
            )
            nothing = first is None or (isinstance(first, ast.Constant) and first.value is None)
            if node.func.attr in ("splitlines", "isspace") or (node.func.attr in BY_BLANKS and nothing):
                found.append(node.lineno)
        elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "str":
            found += [node.lineno] * (node.attr in (*BY_BLANKS, "splitlines", "isspace"))
    return sorted(found)


@pytest.mark.parametrize("name", READERS)
def test_no_reader_parts_words_as_python_does(name: str) -> None:
    found = python_blanks((PACKAGE / name).read_text(encoding="utf-8"))
    assert len(found) == ALLOWED.get(name, (0, ""))[0], found


@pytest.mark.parametrize(
    "source",
    ["a.split()", "a.split(None, 1)", "a.split(maxsplit=1)", "a.split(sep=None)", "a.rsplit()", "a().strip()", "a.lstrip()",
     "a.rstrip(None)", "a.splitlines()", "a.splitlines(keepends=True)", "a[0].isspace()", "map(str.strip, a)"],
)  # fmt: skip
def test_the_law_finds_it(source: str) -> None:
    assert python_blanks(source) == [1]


@pytest.mark.parametrize("source", ['a.split(" ")', 'a.strip("x")', "a.strip(BLANKS)", 'a.split(sep=":")', "fields(a)"])
def test_the_law_finds_nothing_else(source: str) -> None:
    assert python_blanks(source) == []


ODD = "\u2028\u2029\u3000\x1c\x1d\x1e\x1f\x85\xa0"


def test_blanks_of_the_kernel() -> None:
    odd = f"a{ODD}b"
    assert fields(f" {odd}\t\n\v\f\r {odd} ") == [odd, odd]
    assert (fields(""), fields(BLANKS), fields("a")) == ([], [], ["a"])
    assert stripped(f"\t{odd}\x1c\n") == f"{odd}\x1c"
    assert lines(f"{odd}\n\x0bc\n") == [odd, "\x0bc"]
    assert (is_blank(" \t\n\v\f\r"), is_blank("\u3000")) == (True, False)
    assert fields("e\udcff \ud83d\ude00 1") == ["e\udcff", "\ud83d\ude00", "1"]


@pytest.mark.parametrize("odd", ODD)
def test_modprobe_and_modules_load(tmp_path: Path, odd: str) -> None:
    files = {
        "etc/modprobe.d/a.conf": f"options x a=b{odd}c\ninstall y{odd} z\n# a{odd}blacklist w\n",
        "etc/modules-load.d/a.conf": f"# a{odd}vfio-pci\nx{odd}\n",
    }
    look = reader(plant(tmp_path, files))
    assert [(one.module, one.arguments) for one in directives(look)] == [("x", f"a=b{odd}c"), (f"y{odd}", "z")]
    assert [one.module for one in loads(look)] == [f"x{odd}"]


@pytest.mark.parametrize("odd", ODD)
def test_files_of_the_kernel(tmp_path: Path, odd: str) -> None:
    files = {
        "proc/modules": f"x{odd}y 1 0 - Live 0x0\n",
        "proc/version": "Linux version 6.12 x\n",
        "lib/modules/6.12/modules.devname": "vhost_net vhost-net c10:238\x1cx y z\n",
    }
    look = reader(plant(tmp_path, files))
    assert loaded_modules(look) == frozenset({f"x{odd}y"})
    assert static_nodes(look) == frozenset()
    assert cpuinfo.features("flags", f"vmx a{odd}b") == {"vmx", f"a{odd}b"}
    assert cpuinfo.parse(f"processor : 0\nmodel name : {odd}x\n").processors == {0: {"model name": f"{odd}x"}}
    assert cpuinfo.number(f"6{odd}") is None
    assert meminfo.parse(f"MemTotal: 1{odd}kB\nA{odd}: 2 kB\n") == {f"A{odd}": 2048}
    assert CpuSet.parse(f"0-1{odd}") is None
    assert chosen(f"a{odd}[b]{odd}c") is None
    assert (whole(f"12{odd}"), whole(f"{odd}12"), whole(f"-{odd}12")) == (None, None, None)
    assert (parse_seconds(f"30s{odd}"), parse_seconds(f"2min{odd}30s"), parse_size(f"2M{odd}")) == (None, None, None)


@pytest.mark.parametrize("odd", ODD)
def test_files_of_people(tmp_path: Path, odd: str) -> None:
    """No word of a comment becomes a setting, and none that only looks like one."""
    assert variables(f"NAME=x{odd}ID=evil\nID=a{odd}\n") == {"NAME": f"x{odd}ID=evil", "ID": f"a{odd}"}
    comment = f"[Manager]\n# x{odd}RuntimeWatchdogSec=1s\nRuntimeWatchdogSec=2s\n"
    text = f"# x{odd}topologyManagerPolicy: restricted\ntopologyManagerPolicy: none\n"
    look = reader(plant(tmp_path, {"etc/systemd/system.conf": comment, "var/lib/kubelet/config.yaml": text}))
    assert [one.value for one in systemd.watchdog_settings(look)] == ["2s"]
    assert [one.value for one in kubelet_files.settings(look)] == ["none"]
    assert crashdump.setting(f"# x{odd}path /y") == ("", "")
    assert crashdump.setting(f"path /x{odd}") == ("path", f"/x{odd}")
    assert kept_rules(f"# {odd}driver_override vfio-pci 0000:3b:00.0\n") == ""
    assert kept_rules(f"driver_override vfio-pci x{odd}0000:3b:00.0\n") == ""


@pytest.mark.parametrize("odd", ODD)
def test_what_others_may_see(odd: str) -> None:
    names = Pseudonyms()
    assert redact_modules.modprobe(f"softdep x pre: a{odd}b c") == "softdep x pre: c"
    assert redact_boot.fstab(f"{odd}#x /mnt ext4\n", names) == "[redacted-1] /mnt ext4\n"
    assert redact_boot.crypttab(f"swap /dev/sda{odd}none\n", names).startswith("swap /dev/[redacted-")
    assert redact_guests.proxmox(f"onboot:{odd}1\n", names) == "\n"
