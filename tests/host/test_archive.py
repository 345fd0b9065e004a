"""Archives from strangers: read whole from memory, or refused with one line; nothing is written anywhere."""

from __future__ import annotations

import gzip
import io
import os
import tarfile
import tracemalloc
from pathlib import Path

import pytest

from hostagent.host import Host
from hostagent.host.archive import ArchiveTree
from hostagent.host.limits import ARCHIVE_BYTES as MAX_BYTES
from hostagent.host.reader import RootError
from hostagent.host.tar import ArchiveError


def member(
    name: str, kind: bytes = tarfile.REGTYPE, *, link: str = "", data: bytes = b""
) -> tuple[tarfile.TarInfo, bytes]:
    """One member, as a hostile archiver would write it."""
    info = tarfile.TarInfo(name)
    info.type, info.linkname, info.size = kind, link, len(data)
    return info, data


def packed(at: Path, *members: tuple[tarfile.TarInfo, bytes]) -> str:
    """A tar.gz of the members at `at`."""
    with tarfile.open(at, "w:gz") as tar:
        for info, data in members:
            tar.addfile(info, io.BytesIO(data))
    return str(at)


CPUINFO = member("proc/cpuinfo", data=b"processor : 0\n")


@pytest.mark.parametrize(
    ("bad", "said"),
    [
        (member("/etc/passwd", data=b"x"), "expected a name inside the archive"),
        (member("sys/../../etc/passwd", data=b"x"), "expected a name inside the archive"),
        (member("dev/watchdog", tarfile.CHRTYPE), "expected files, directories and symbolic links only"),
        (member("dev/sda", tarfile.BLKTYPE), "expected files, directories and symbolic links only"),
        (member("sys/pipe", tarfile.FIFOTYPE), "expected files, directories and symbolic links only"),
        (
            member("sys/hard", tarfile.LNKTYPE, link="proc/cpuinfo"),
            "expected files, directories and symbolic links only",
        ),
        (member("sys/out", tarfile.SYMTYPE, link="/etc"), "leads out of the archive"),
        (member("sys/out", tarfile.SYMTYPE, link="../../etc/passwd"), "leads out of the archive"),
        (member("sys/a", tarfile.SYMTYPE, link="b/../../../x"), "leads out of the archive"),
        (member("proc/1/environ", tarfile.SYMTYPE, link="/etc/shadow"), "leads out of the archive"),
        (member("proc/cpuinfo/below", data=b"x"), "inside 'proc/cpuinfo', which is a file"),
        (member("proc/cpuinfo", tarfile.SYMTYPE, link="version"), "given twice"),
        (member("proc/big", data=b"\0" * (9 << 20)), "expected at most"),
    ],
)
def test_a_bad_member_refuses_the_whole_archive(tmp_path: Path, bad: tuple[tarfile.TarInfo, bytes], said: str) -> None:
    place = packed(tmp_path / "bad.tar.gz", CPUINFO, bad)
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(RootError, match=said):
        Host(place)
    assert sorted(tmp_path.rglob("*")) == before


def test_a_bomb_ends_at_the_limit(tmp_path: Path) -> None:
    place = tmp_path / "bomb.tar.gz"
    size = 4 << 20
    with gzip.open(place, "wb", compresslevel=1) as stream:
        for number in range(MAX_BYTES // size + 1):
            info = tarfile.TarInfo(f"sys/{number}")
            info.size = size
            stream.write(info.tobuf() + b"\0" * size)
    assert place.stat().st_size < 1 << 20
    with pytest.raises(ArchiveError, match="unpacks to more than 64 MiB"):
        ArchiveTree(str(place))


def test_a_single_huge_member_is_not_unpacked(tmp_path: Path) -> None:
    place = tmp_path / "bomb.tar.gz"
    info = tarfile.TarInfo("sys/x")
    info.size = 64 << 30
    with gzip.open(place, "wb") as stream:
        stream.write(info.tobuf())
        stream.write(b"\0" * (1 << 20))
    with pytest.raises(ArchiveError, match="'sys/x': 68719476736 bytes"):
        ArchiveTree(str(place))


@pytest.mark.parametrize("content", [b"", b"no gzip", gzip.compress(b"no tar" * 400)])
def test_what_is_no_archive_is_refused(tmp_path: Path, content: bytes) -> None:
    place = tmp_path / "x.tar.gz"
    place.write_bytes(content)
    with pytest.raises(RootError):
        Host(str(place))


def test_a_truncated_archive_is_refused(tmp_path: Path) -> None:
    place = packed(tmp_path / "x.tar.gz", member("proc/cpuinfo", data=bytes(range(256)) * 200))
    (tmp_path / "cut.tar.gz").write_bytes(Path(place).read_bytes()[:-60])
    with pytest.raises(RootError, match="not a complete tar"):
        Host(str(tmp_path / "cut.tar.gz"))


def test_an_archive_reads_like_the_tree_it_was_made_of(tmp_path: Path) -> None:
    place = packed(
        tmp_path / "x.tar.gz",
        member("machine/sys/devices/a/file", data=b"one\n"),
        member("machine/sys/bus/a", tarfile.SYMTYPE, link="../devices/a"),
        member("machine/sys/bus/driver", tarfile.SYMTYPE, link="../../../../../bus/pci/drivers/ice"),
        member("machine/proc/7/exe", tarfile.SYMTYPE, link="/usr/bin/vim"),
        member("machine/sys/empty", tarfile.DIRTYPE),
    )
    look = Host(place).reader()
    assert look.text("sys/bus/a/file") == "one"
    assert look.names("sys/bus/a") == ("file",)
    assert look.names("sys") == ("bus", "devices", "empty")
    assert look.target("sys/bus/driver") == "ice"
    assert not look.exists("proc/7/exe")
    assert look.resolve("sys/bus/a/file") == "sys/devices/a/file"
    assert look.text("sys/bus/a/missing") is None
    assert look.link("sys/devices/a/file") is None
    assert look.problems == []
    assert look.raw("sys/empty") is None
    assert [p.detail for p in look.problems] == ["EISDIR: Is a directory"]


def test_an_archive_without_a_machine_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RootError, match="holds neither sys nor proc"):
        Host(packed(tmp_path / "x.tar.gz", member("notes/readme", data=b"x")))


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("a/" * 20_000 + "x", "expected a name of at most 4096 bytes and 64 components"),
        ("sys/" + "a/" * 64 + "x", "expected a name of at most 4096 bytes and 64 components"),
        ("sys/\x1b[31mred\nline/../x", r"'sys/\\x1b\[31mred\\nline/../x': expected a name inside the archive"),
    ],
)
def test_names_that_no_machine_has(tmp_path: Path, name: str, said: str) -> None:
    with pytest.raises(RootError, match=said):
        Host(packed(tmp_path / "x.tar.gz", member(name, data=b"x")))


def test_headers_for_all_members_do_not_add_up(tmp_path: Path) -> None:
    place = tmp_path / "x.tar.gz"
    headers = {f"key{number}": "x" for number in range(2000)}
    with tarfile.open(place, "w:gz", format=tarfile.PAX_FORMAT, pax_headers=headers) as tar:
        for number in range(500):
            info, data = member(f"sys/{number}", data=b"x")
            tar.addfile(info, io.BytesIO(data))
    tracemalloc.start()
    try:
        Host(str(place))
        assert tracemalloc.get_traced_memory()[1] < 8 << 20
    finally:
        tracemalloc.stop()


def test_an_archive_that_ends_or_breaks_between_two_members(tmp_path: Path) -> None:
    raw = gzip.decompress(Path(packed(tmp_path / "x.tar.gz", CPUINFO, member("sys/x", data=b"x"))).read_bytes())
    broken = raw[:1024] + b"\xff" * 512 + raw[1536:]
    for content in (raw[:1024], broken):
        (tmp_path / "bad.tar.gz").write_bytes(gzip.compress(content))
        with pytest.raises(RootError, match="not a complete tar"):
            Host(str(tmp_path / "bad.tar.gz"))


def test_what_is_neither_directory_nor_file_is_not_opened(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")  # to open it is to wait for ever
    with pytest.raises(RootError, match=r"pipe: expected a directory or a capture\.tar\.gz"):
        Host(str(tmp_path / "pipe"))


def test_what_stands_below_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(RootError, match=r"file/x: Not a directory; expected a directory or a capture\.tar\.gz"):
        Host(str(tmp_path / "file" / "x"))
