"""Past a limit there is a Problem, and what was not looked at is not known."""

from __future__ import annotations

import gzip
import sys
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from hostagent.areas import kernel, network, storage
from hostagent.host import Host, archive
from hostagent.host.archive import ArchiveTree
from hostagent.host.cmdline import parameters
from hostagent.host.limits import ARCHIVE_MEMBERS, COMMAND_LINE_BYTES, LINKS, MOUNTS, TEXT_BYTES
from hostagent.host.tar import ArchiveError
from tests.plant import plant, reader

DISK = {"sys/dev/block/8:1": "../../block/sda"}
ROOT = "1 0 8:1 / / rw - ext4 /dev/sda1 rw"


@pytest.mark.parametrize("more", [0, 1])
def test_more_mounts_than_the_limit_are_not_known(tmp_path: Path, more: int) -> None:
    lines = [ROOT, *(f"{number} 1 0:9 / /x/{number} rw - tmpfs t rw" for number in range(2, MOUNTS + 1 + more))]
    look = reader(plant(tmp_path, {"proc/1/mountinfo": "\n".join(lines) + "\n"}))
    assert storage.probe(look).mounts_known is not bool(more)
    kinds = [(problem.path, problem.kind, problem.detail) for problem in look.problems]
    assert kinds == [("proc/1/mountinfo", "too-large", f"more than {MOUNTS} mounts")] * more


@pytest.mark.parametrize("more", [0, 1])
def test_a_longer_command_line_than_any_kernels_is_not_known(tmp_path: Path, more: int) -> None:
    text = "quiet " + "x" * (COMMAND_LINE_BYTES - len("quiet ") + more)
    root = plant(tmp_path, {"proc/cmdline": text})
    look = reader(root)
    assert (parameters(look) is None) is bool(more)
    assert (kernel.probe(look).command_line is None) is bool(more)
    kinds = [(problem.path, problem.kind, problem.detail) for problem in look.problems]
    shown = Host(str(root), redacted=True).reader()
    assert (kernel.probe(shown).command_line is None) is bool(more)
    assert shown.problems == look.problems
    assert kinds == [("proc/cmdline", "too-large", f"more than {COMMAND_LINE_BYTES} bytes")] * more


class _Many(Host):
    """A host with more network links than a test has time to write."""

    count = 0

    def ask(self, operation: str, path: str) -> object:
        if (operation, path) == ("names", "sys/class/net"):
            return [f"e{number}" for number in range(self.count)]
        return super().ask(operation, path)


@pytest.mark.parametrize("more", [0, 1])
def test_more_links_than_the_limit_are_not_known(tmp_path: Path, more: int) -> None:
    host = _Many(str(plant(tmp_path, {"proc/1/net/route": "Iface Destination\n"})))
    host.count = LINKS + more
    look = host.reader()
    assert network.probe(look).routes_known is not bool(more)
    kinds = [(problem.path, problem.kind, problem.detail) for problem in look.problems]
    assert kinds == [("sys/class/net", "too-large", f"more than {LINKS} links")] * more


@pytest.mark.parametrize("more", [0, 1])
def test_an_archive_of_more_members_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, more: int) -> None:
    most = 1000
    assert most < ARCHIVE_MEMBERS == vars(archive)["MAX_MEMBERS"]
    monkeypatch.setattr("hostagent.host.archive.MAX_MEMBERS", most)
    header = tarfile.TarInfo("sys/x").tobuf()
    with gzip.open(tmp_path / "x.tar.gz", "wb", compresslevel=1) as packed:
        packed.write(header * (most + more) + bytes(1024))
    if not more:
        assert ArchiveTree(str(tmp_path / "x.tar.gz")).names("sys") == ["x"]
        return
    with pytest.raises(ArchiveError, match=f"more than {most} members"):
        ArchiveTree(str(tmp_path / "x.tar.gz"))


def _steps(work: Callable[[], object]) -> int:
    """How many functions are called meanwhile, Python's own among them: work that no load on the machine changes."""
    count = 0

    def called(_frame: object, event: str, _argument: object) -> None:
        nonlocal count
        count += event in ("call", "c_call")

    before = sys.getprofile()
    sys.setprofile(called)
    try:
        work()
    finally:
        sys.setprofile(before)
    return count


@pytest.mark.parametrize("redacted", [False, True])
@pytest.mark.parametrize("word", ["x=y ", "a", '" ', "-- "])
def test_eight_megabytes_of_command_line_are_no_more_work_than_a_line_too_long(
    tmp_path: Path, word: str, *, redacted: bool
) -> None:
    def steps(size: int) -> int:
        root = plant(tmp_path / str(size), {"proc/cmdline": word * (size // len(word))})
        look = Host(str(root), redacted=redacted).reader()
        found = _steps(lambda: kernel.probe(look))
        assert [problem.kind for problem in look.problems] == ["too-large"]
        return found

    # What is read in more pieces is read by more calls: 128 of them.
    assert steps(TEXT_BYTES - 8) < steps(COMMAND_LINE_BYTES + 1024) + 1000


@pytest.mark.parametrize("redacted", [False, True])
@pytest.mark.parametrize("point", ["/o", "/o/{}"])
def test_the_work_for_overlays_grows_as_they_do(tmp_path: Path, point: str, *, redacted: bool) -> None:
    """Three thousand of them, at one mount point or at as many: ten times the work of three hundred, not a hundred times."""

    def cost(overlays: int) -> tuple[int, int]:
        lines = [
            ROOT,
            *(f"{one} 1 0:{one} / {point.format(one)} rw - overlay o{one} rw" for one in range(10, 10 + overlays)),
        ]
        root = plant(tmp_path / str(overlays), {"proc/1/mountinfo": "\n".join(lines) + "\n"}, DISK)
        look = Host(str(root), redacted=redacted).reader()
        return _steps(lambda: storage.probe(look)), len(repr(storage.probe(look)))

    (few, short), (many, long) = cost(300), cost(3000)
    assert many < 20 * few
    assert long < 20 * short


def _reads(root: Path, overlays: int) -> tuple[int, int]:
    """How often mounts are walked down, and how many uses there are, with so many overlays at one place."""
    lines = [ROOT, *(f"{number} 1 0:{number} / /o rw - overlay o{number} rw" for number in range(10, 10 + overlays))]
    look = reader(plant(root, {"proc/1/mountinfo": "\n".join(lines) + "\n"}, DISK))
    found = storage.probe(look)
    return len(found.uses), len(look.host.memory)


def test_a_thousand_overlays_at_one_place_are_one_use(tmp_path: Path) -> None:
    assert _reads(tmp_path / "few", 1) == _reads(tmp_path / "many", 1000)
