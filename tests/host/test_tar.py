"""Tars that Python's tarfile would believe: cut, odd, or made to fill the memory of who reads them."""

from __future__ import annotations

import gzip
import io
import tarfile
import tracemalloc
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from hostagent.host.archive import ArchiveTree
from hostagent.host.tar import ArchiveError

BLOCK = tarfile.BLOCKSIZE
END = bytes(2 * BLOCK)


def header(name: str, size: int = 0, kind: bytes = tarfile.REGTYPE) -> bytes:
    """One header block, whatever size it claims."""
    info = tarfile.TarInfo(name)
    info.size, info.type = size, kind
    return info.tobuf(tarfile.GNU_FORMAT)


def file(name: str, data: bytes) -> bytes:
    """A whole member."""
    return header(name, len(data)) + data + bytes(-len(data) % BLOCK)


def extended(records: dict[str, str], kind: bytes = tarfile.XHDTYPE) -> bytes:
    """A pax header, for the next member or for all that follow."""
    body = b""
    for key, value in records.items():
        record = f" {key}={value}\n".encode()
        length = len(record)
        while len(str(length)) + len(record) != length:
            length = len(str(length)) + len(record)
        body += str(length).encode() + record
    return header("pax", len(body), kind) + body + bytes(-len(body) % BLOCK)


def packed(at: Path, plain: bytes) -> str:
    """The bytes of a tar as a tar.gz."""
    place = at / "x.tar.gz"
    place.write_bytes(gzip.compress(plain, 1))
    return str(place)


@contextmanager
def at_most(size: int) -> Iterator[None]:
    """What happens here never holds more than `size` bytes at once."""
    tracemalloc.start()
    try:
        yield
        assert tracemalloc.get_traced_memory()[1] < size
    finally:
        tracemalloc.stop()


MACHINE = file("proc/cpuinfo", b"processor : 0\n") + file("sys/a", b"1\n")


def broken(name: str) -> bytes:
    """A header whose checksum is wrong."""
    return header(name)[:-1] + b"x"


@pytest.mark.parametrize(
    ("plain", "said"),
    [
        (MACHINE, "no end-of-archive block"),
        (MACHINE + broken("sys/b") + END, "bad checksum"),
        (MACHINE + extended({"path": "sys/c"}) + broken("sys/b") + END, "bad checksum"),
        (MACHINE + extended({"path": "sys/c"}) + END, "not a complete tar.gz"),
        (MACHINE + END + file("sys/b", b"2\n") + END, "holds more after its end-of-archive block"),
        (MACHINE + file("sys/b", b"2" * BLOCK)[:-9], "unexpected end of data"),
    ],
)
def test_half_a_machine_is_refused(tmp_path: Path, plain: bytes, said: str) -> None:
    with pytest.raises(ArchiveError, match=said):
        ArchiveTree(packed(tmp_path, plain))


def test_contents_that_do_not_match_the_checksum_are_refused(tmp_path: Path) -> None:
    place = Path(packed(tmp_path, MACHINE + END))
    whole = place.read_bytes()
    place.write_bytes(whole[:-8] + bytes(4) + whole[-4:])
    with pytest.raises(ArchiveError, match="CRC check failed"):
        ArchiveTree(str(place))


@pytest.mark.parametrize(
    "records",
    [
        {"GNU.sparse.map": "x"},
        {"GNU.sparse.major": "1", "GNU.sparse.minor": "0"},
        {"hdrcharset": "BINARY\udcff".encode("utf-8", "surrogateescape").decode("latin-1"), "GNU.sparse.map": ""},
    ],
)
def test_numbers_that_are_none_are_refused(tmp_path: Path, records: dict[str, str]) -> None:
    with pytest.raises(ArchiveError, match="a header that is not one of tar's"):
        ArchiveTree(packed(tmp_path, MACHINE + extended(records) + file("sys/b", b"") + END))


def endless_sparse() -> bytes:
    """An old GNU sparse header that says it goes on."""
    info = bytearray(header("sys/s", 0, tarfile.GNUTYPE_SPARSE))
    info[482] = 1
    info[148:156] = b"%06o\0 " % tarfile.calc_chksums(bytes(info))[0]  # type: ignore[attr-defined]
    return bytes(info)


@pytest.mark.parametrize(
    ("member", "said"),
    [
        # The length of the first record of a pax header is where the second begins.
        (header("pax", BLOCK, tarfile.XHDTYPE) + b"99999999999999999999 a=b\n".ljust(BLOCK, b"\0"), "not one of tar's"),
        # A sparse header that says it goes on, where the stream ends.
        (endless_sparse(), "not one of tar's"),
    ],
)
def test_headers_that_lead_out_of_the_stream_are_refused(tmp_path: Path, member: bytes, said: str) -> None:
    with pytest.raises(ArchiveError, match=said):
        ArchiveTree(packed(tmp_path, MACHINE + member))


@pytest.mark.parametrize("name", ["sys" + "/a" * 64, "sys/" + "n" * 4096, "sys" + "/a" * 30_000])
def test_a_name_no_kernel_makes_is_refused_in_little_memory(tmp_path: Path, name: str) -> None:
    place = packed(tmp_path, MACHINE + extended({"path": name}) + file("x", b"") + END)
    with (
        at_most(4 << 20),
        pytest.raises(ArchiveError, match="expected a name of at most 4096 bytes and 64 components") as refused,
    ):
        ArchiveTree(place)
    assert len(str(refused.value)) < 400


def test_global_headers_are_not_kept_with_every_member(tmp_path: Path) -> None:
    remark = extended({"comment": "c" * 20_000}, tarfile.XGLTYPE)
    text = extended({f"k{number}": "v" * 100 for number in range(200)}, tarfile.XGLTYPE)
    place = packed(tmp_path, remark + text + b"".join(file(f"sys/{n}", b"") for n in range(5000)) + END)
    with at_most(8 << 20):
        tree = ArchiveTree(place)
    assert len(tree.names("sys")) == 5000


@pytest.mark.parametrize("kind", [tarfile.XHDTYPE, tarfile.XGLTYPE, tarfile.GNUTYPE_LONGNAME])
def test_a_header_without_end_is_not_read(tmp_path: Path, kind: bytes) -> None:
    place = packed(tmp_path, MACHINE + header("long", 1 << 30, kind) + bytes(64 << 20))
    with at_most(4 << 20), pytest.raises(ArchiveError, match="more than 64 KiB between the contents of two members"):
        ArchiveTree(place)


def test_names_count_like_contents(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hostagent.host.archive.MAX_BYTES", 4 << 20)
    name = "/".join(["sys", *["d" * 33] * 60])
    plain = b"".join(extended({"path": f"{number:05}{name[5:]}"}) + header("x") for number in range(100))
    with pytest.raises(ArchiveError, match="unpacks to more than 4 MiB"):
        ArchiveTree(packed(tmp_path, plain + END))


def test_padding_does_not_count(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    most = 1 << 20
    monkeypatch.setattr("hostagent.host.archive.MAX_BYTES", most)
    plain = io.BytesIO()
    count = most // (2 * BLOCK) + 1000
    for number in range(count):
        plain.write(file(f"sys/{number}", b"1\n"))
    tree = ArchiveTree(packed(tmp_path, plain.getvalue() + END))
    assert plain.tell() > most
    assert len(tree.names("sys")) == count


def test_a_long_tape_record_is_read_to_its_end(tmp_path: Path) -> None:
    assert ArchiveTree(packed(tmp_path, MACHINE + END + bytes(1 << 20))).read("sys/a") == b"1\n"


@pytest.mark.parametrize("kind", [tarfile.CHRTYPE, tarfile.SYMTYPE, tarfile.REGTYPE])
def test_no_name_reaches_the_terminal_as_it_is(tmp_path: Path, kind: bytes) -> None:
    info = tarfile.TarInfo("sys/\x1b[2J\nroot: ok")
    info.type, info.linkname, info.size = kind, "/\x1b[2J", 64 << 30 if kind == tarfile.REGTYPE else 0
    with pytest.raises(ArchiveError) as refused:
        ArchiveTree(packed(tmp_path, info.tobuf(tarfile.GNU_FORMAT) + END))
    assert str(refused.value).isprintable()
