"""modprobe.d and modules-load.d as kmod and systemd read them."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hostagent.host.modprobe import Directive, Option, directives, loads, options
from tests.plant import plant, reader


def _directive(source: str, line: int | None, command: str, module: str, arguments: str = "") -> Directive:
    return Directive(source=source, line=line, command=command, module=module, arguments=arguments)


def test_comments_continuations_and_blanks(tmp_path: Path) -> None:
    text = (
        "# options vfio-pci ids=1:1\n"
        "options vfio-pci ids=10de:1eb8,\\\n10de:1eb9 disable_vga=1\n"
        "\n"
        "\tsoftdep\tnouveau  pre: vfio-pci\n"
        "# a comment goes on \\\nblacklist swallowed\n"
        "blacklist snd-hda-intel\n"
        "install firewire_core /bin/false"
    )
    source = "etc/modprobe.d/vfio.conf"
    assert directives(reader(plant(tmp_path, {source: text}))) == (
        _directive(source, 2, "options", "vfio_pci", "ids=10de:1eb8,10de:1eb9 disable_vga=1"),
        _directive(source, 5, "softdep", "nouveau", "pre: vfio-pci"),
        _directive(source, 8, "blacklist", "snd_hda_intel"),
        _directive(source, 9, "install", "firewire_core", "/bin/false"),
    )


def test_what_kmod_ignores(tmp_path: Path) -> None:
    text = "blacklist\noptions lonely\nsoftdep lonely\nremove\nnonsense a b\n  # indented\ninclude /etc/x\n\\\n"
    assert (
        directives(reader(plant(tmp_path, {"etc/modprobe.d/a.conf": text, "etc/modprobe.d/b": "blacklist x\n"}))) == ()
    )


def test_an_alias_keeps_its_pattern(tmp_path: Path) -> None:
    source = "lib/modprobe.d/aliases.conf"
    found = directives(reader(plant(tmp_path, {source: "alias pci:v-d* off\n"})))
    assert found == (_directive(source, 1, "alias", "pci:v-d*", "off"),)


def test_first_directory_wins_and_names_order_the_rest(tmp_path: Path) -> None:
    files = {
        "etc/modprobe.d/10-a.conf": "blacklist from_etc\n",
        "run/modprobe.d/10-a.conf": "blacklist hidden\n",
        "run/modprobe.d/05-b.conf": "blacklist from_run\n",
        "usr/local/lib/modprobe.d/04.conf": "blacklist from_local\n",
        "usr/lib/modprobe.d/05-b.conf": "blacklist hidden\n",
        "lib/modprobe.d/20.conf": "blacklist from_lib\n",
    }
    found = directives(reader(plant(tmp_path, files)))
    assert [directive.module for directive in found] == ["from_local", "from_run", "from_etc", "from_lib"]


def test_a_masked_file_hides_the_one_below(tmp_path: Path) -> None:
    root = plant(tmp_path, {"usr/lib/modprobe.d/x.conf": "blacklist x\n"}, {"etc/modprobe.d/x.conf": "/dev/null"})
    assert directives(reader(root)) == ()


def test_command_line_blacklists(tmp_path: Path) -> None:
    text = "quiet modprobe.blacklist=nouveau,snd-hda-intel module_blacklist=nvme rd.driver.blacklist=ixgbe modprobe.blacklist\n"
    found = directives(reader(plant(tmp_path, {"proc/cmdline": text})))
    assert found == tuple(
        _directive("proc/cmdline", None, "blacklist", name) for name in ("nouveau", "snd_hda_intel", "nvme", "ixgbe")
    )


def test_options_in_the_order_they_apply(tmp_path: Path) -> None:
    files = {
        "etc/modprobe.d/b.conf": 'options vfio_pci ids="10de:1eb8" disable_vga\n',
        "etc/modprobe.d/a.conf": "options vfio-pci ids=8086:1521\noptions vfio enable_unsafe_noiommu_mode=1\n",
        "proc/cmdline": "vfio-pci.ids=1234:5678 vfio.x=1 vfio_pci.nointxmask ids=no\n",
    }
    assert options(reader(plant(tmp_path, files)), "vfio-pci") == (
        Option(source="etc/modprobe.d/a.conf", line=1, name="ids", value="8086:1521"),
        Option(source="etc/modprobe.d/b.conf", line=1, name="ids", value="10de:1eb8"),
        Option(source="etc/modprobe.d/b.conf", line=1, name="disable_vga", value=None),
        Option(source="proc/cmdline", line=None, name="ids", value="1234:5678"),
        Option(source="proc/cmdline", line=None, name="nointxmask", value=None),
    )


@pytest.mark.parametrize("name", ["-rf", "-", "a-b.ko", "a-" * 28])
def test_what_is_no_module_is_not_made_one(tmp_path: Path, name: str) -> None:
    files = {
        "etc/modprobe.d/a.conf": f"softdep {name} pre: vfio-pci\n",
        "etc/modules-load.d/a.conf": f"{name}\n",
        "proc/cmdline": f"modprobe.blacklist={name} rd.driver.pre={name}\n",
    }
    look = reader(plant(tmp_path, files))
    assert {one.module for one in (*directives(look), *loads(look))} == {name}


def test_loads(tmp_path: Path) -> None:
    files = {
        "etc/modules": "# Debian's old list\nloop\n",
        "usr/lib/modules-load.d/50-x.conf": "; comment\n\n vfio-pci \n",
        "proc/cmdline": "modules-load=kvm rd.driver.pre=vfio-pci,vfio rd.modules-load=tun modules_load\n",
    }
    root = plant(tmp_path, files, {"etc/modules-load.d/modules.conf": "../modules"})
    assert loads(reader(root)) == (
        _directive("usr/lib/modules-load.d/50-x.conf", 3, "load", "vfio_pci"),
        _directive("etc/modules-load.d/modules.conf", 2, "load", "loop"),
        _directive("proc/cmdline", None, "load", "kvm"),
        _directive("proc/cmdline", None, "load", "vfio_pci"),
        _directive("proc/cmdline", None, "load", "vfio"),
        _directive("proc/cmdline", None, "load", "tun"),
    )


@given(st.text(alphabet=st.sampled_from("ab-_# \t\n\\=\"'") | st.characters(codec="utf-8")))
def test_any_text_is_read_and_every_module_is_in_it(text: str) -> None:
    with tempfile.TemporaryDirectory() as directory:
        found = directives(reader(plant(Path(directory), {"etc/modprobe.d/a.conf": f"blacklist x-y\n{text}"})))
    joined = text.replace("\\\n", "").replace("-", "_")
    assert all(directive.module == "x_y" or directive.module.replace("-", "_") in joined for directive in found)


@pytest.mark.skipif(shutil.which("modprobe") is None, reason="no modprobe: install kmod")
def test_kmod_reads_the_same(tmp_path: Path) -> None:
    """Every combination of what a line can be made of, against `modprobe --showconfig`."""
    lines = [
        f"{head}{command}{gap}t-m{number}{rest}{tail}"
        for number, (head, command, gap, rest, tail) in enumerate(
            (head, command, gap, rest, tail)
            for head in ("", " ", "\t", "#")
            for command in ("options", "blacklist", "install", "remove", "softdep", "unknown")
            for gap in (" ", "\t ")
            for rest in ("", " pre: t-x post: t-y", '  x="1 2"  y=3', " /bin/sh -c 'a b'")
            for tail in ("\n", "\n\n", "\\\n", " \\\n# not a comment here\n")
        )
    ]
    source = plant(tmp_path, {"etc/modprobe.d/a.conf": "".join(lines)}) / "etc/modprobe.d"
    shown = subprocess.run(
        ["modprobe", "--showconfig", "-C", str(source)], capture_output=True, text=True, check=True
    ).stdout.splitlines()
    ours = sorted(
        _comparable(found.command, found.module, *found.arguments.split()) for found in directives(reader(tmp_path))
    )
    # The machine's own command line is shown too: only our modules count.
    theirs = sorted(_comparable(*line.split()) for line in shown if " t_m" in line or " t-m" in line)
    assert len(ours) > 100
    assert ours == theirs


def _comparable(command: str, module: str, *arguments: str) -> str:
    # kmod shows of a softdep what follows pre: and post: only.
    return " ".join((command, module) if command == "softdep" else (command, module, *arguments))
