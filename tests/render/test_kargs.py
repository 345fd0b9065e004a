"""Kernel arguments: whatever tool they are written for, what reaches the kernel is what was asked for."""

from __future__ import annotations

import shlex
import tomllib
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hostagent.render import kargs
from hostagent.render.files import RenderError
from hostagent.values import cmdline

MANUAL = ("intel_iommu=on", "iommu=pt", "vfio-pci.ids=10de:1eb8,10de:1aeb")
POOLS = (
    "iommu=pt",
    "default_hugepagesz=1G",
    "hugepagesz=1G",
    "hugepages=16",
    "hugepagesz=2M",
    "hugepages=16",
)
QUOTED = ("iommu=pt", 'dyndbg="file drivers/iommu/* +p"')

NAMES = st.text("abcdefghijklmnopqrstuvwxyz_.-", min_size=1, max_size=12).filter(lambda name: name != "--")
VALUES = st.text("abcdef0123456789,:/@=+-_.#*~%!?^[]()", max_size=12)
WORDS = st.builds(lambda name, value: f"{name}={value}", NAMES, VALUES) | NAMES
QUOTES = st.builds(lambda name, value: f'{name}="{value} +p"', NAMES, VALUES)
ARGUMENTS = st.lists(WORDS | QUOTES, min_size=1, max_size=6).map(tuple)


def after_comments(text: str) -> str:
    line, rest = [*[line for line in text.splitlines() if not line.startswith("#")], ""][:2]
    assert rest == ""
    return line


def from_plain(text: str) -> str:
    return text


def from_grubby(text: str) -> str:
    command = shlex.split(after_comments(text))
    assert command[:2] == ["grubby", "--update-kernel=ALL"]
    return " ".join(word.removeprefix("--args=") for word in command[2:])


def from_rpm_ostree(text: str) -> str:
    command = shlex.split(after_comments(text))
    assert command[:2] == ["rpm-ostree", "kargs"]
    return " ".join(word.partition("=")[2] for word in command[2:])


def from_grub_line(text: str) -> str:
    """As a shell reads it, with nothing in GRUB_CMDLINE_LINUX before."""
    (word,) = shlex.split(after_comments(text))
    return word.removeprefix("GRUB_CMDLINE_LINUX=$GRUB_CMDLINE_LINUX ")


def from_bootc(text: str) -> str:
    return " ".join(tomllib.loads(text)["kargs"])


def bootc(arguments: tuple[str, ...]) -> str:
    return kargs.bootc(arguments, architecture=None)


READERS: list[tuple[Callable[[tuple[str, ...]], str], Callable[[str], str]]] = [
    (kargs.plain, from_plain),
    (kargs.grubby, from_grubby),
    (kargs.rpm_ostree, from_rpm_ostree),
    (kargs.grub_dropin, from_grub_line),
    (kargs.suse, from_grub_line),
    (bootc, from_bootc),
]


@pytest.mark.parametrize(("write", "read"), READERS)
@pytest.mark.parametrize("arguments", [MANUAL, POOLS, QUOTED])
def test_reaches_the_kernel(
    write: Callable[[tuple[str, ...]], str], read: Callable[[str], str], arguments: tuple[str, ...]
) -> None:
    assert cmdline.parse(read(write(arguments))) == cmdline.parse(" ".join(arguments))


@given(ARGUMENTS)
def test_any_arguments_reach_the_kernel(arguments: tuple[str, ...]) -> None:
    wanted = cmdline.parse(" ".join(arguments))
    for write, read in READERS:
        if write is not kargs.rpm_ostree:
            assert cmdline.parse(read(write(arguments))) == wanted
    # rpm-ostree is told once what is wanted twice: --append-if-missing would leave out the second anyway.
    assert cmdline.parse(from_rpm_ostree(kargs.rpm_ostree(arguments))) == tuple(dict.fromkeys(wanted))


def test_plain() -> None:
    assert kargs.plain(MANUAL) == "intel_iommu=on iommu=pt vfio-pci.ids=10de:1eb8,10de:1aeb\n"


def test_grubby() -> None:
    assert kargs.grubby(("intel_iommu=on", "iommu=pt")) == (
        "grubby --update-kernel=ALL --args='intel_iommu=on iommu=pt'\n"
    )
    assert kargs.grubby(POOLS).startswith("# A name is repeated here; ")
    assert kargs.grubby(()) == ""


def test_rpm_ostree() -> None:
    assert kargs.rpm_ostree(("intel_iommu=on", "iommu=pt", "iommu=pt")) == (
        "rpm-ostree kargs --append-if-missing=intel_iommu=on --append-if-missing=iommu=pt\n"
    )
    assert kargs.rpm_ostree(("hugepagesz=1G hugepages=16",)) == (
        "rpm-ostree kargs --append-if-missing=hugepagesz=1G --append-if-missing=hugepages=16\n"
    )
    assert kargs.rpm_ostree(POOLS) == (
        "# Run this once: --append adds the huge page arguments again at every run.\n"
        "rpm-ostree kargs --append-if-missing=iommu=pt --append=default_hugepagesz=1G --append=hugepagesz=1G "
        "--append=hugepages=16 --append=hugepagesz=2M --append=hugepages=16\n"
    )
    assert kargs.rpm_ostree(()) == ""


def test_grub_dropin() -> None:
    assert kargs.grub_dropin(QUOTED) == (
        "# Read by update-grub after /etc/default/grub.\n"
        'GRUB_CMDLINE_LINUX="$GRUB_CMDLINE_LINUX iommu=pt dyndbg=\\"file drivers/iommu/* +p\\""\n'
    )


def test_suse() -> None:
    *notes, line = kargs.suse(("iommu=pt",)).splitlines()
    assert line == 'GRUB_CMDLINE_LINUX="$GRUB_CMDLINE_LINUX iommu=pt"'
    assert "grub2-mkconfig -o /boot/grub2/grub.cfg" in notes[0]
    assert "transactional-update grub.cfg" in notes[1]


def test_bootc() -> None:
    assert kargs.bootc(("intel_iommu=on", 'a="b c"'), architecture="x86_64") == (
        'kargs = ["intel_iommu=on", "a=\\"b c\\""]\nmatch-architectures = ["x86_64"]\n'
    )


@pytest.mark.parametrize("letter", "$`\\'{}|&;<>")
def test_grub_would_act_on_it(letter: str) -> None:
    for write in (kargs.grub_dropin, kargs.suse):
        with pytest.raises(RenderError, match="means something else to GRUB"):
            write((f"a=b{letter}c",))


@pytest.mark.parametrize(
    ("argument", "words"),
    [
        ("", "is empty"),
        ("  ", "is empty"),
        ("a\nb", "control character"),
        ("a\x00", "control character"),
        ('a="b', "not closed"),
        ("--", "belongs to init"),
        ("a -- b", "belongs to init"),
    ],
)
def test_no_argument(argument: str, words: str) -> None:
    with pytest.raises(RenderError, match=words):
        kargs.checked(("iommu=pt", argument))


def test_paired() -> None:
    assert kargs.paired(POOLS) == (
        "iommu=pt",
        "default_hugepagesz=1G",
        "hugepagesz=1G hugepages=16",
        "hugepagesz=2M hugepages=16",
    )
    assert kargs.paired(kargs.paired(POOLS)) == kargs.paired(POOLS)
    assert kargs.paired(("hugepagesz=1G", "iommu=pt", "hugepages=1")) == (
        "hugepagesz=1G",
        "iommu=pt",
        "hugepages=1",
    )
    # A second count for one size is not ours to hide in the first.
    assert kargs.paired(("hugepagesz=1G", "hugepages=1", "hugepages=2")) == (
        "hugepagesz=1G hugepages=1",
        "hugepages=2",
    )


@given(ARGUMENTS)
def test_pairing_changes_no_word(arguments: tuple[str, ...]) -> None:
    assert kargs.checked(kargs.paired(arguments)) == kargs.checked(arguments)
