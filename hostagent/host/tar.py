"""The members of a tar.gz from a stranger, one at a time: nothing is written, and no more than one member is held.

Python's tarfile takes a broken header for the end, keeps what it has read, and believes every size: here an archive that does
not say where it ends is refused, and so is one whose headers are larger than any tool writes them.
"""

from __future__ import annotations

import gzip
import os
import tarfile
import zlib
from contextlib import contextmanager

from hostagent.host.limits import TEXT_BYTES as LIMIT
from hostagent.host.regular import opened

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Protocol

    class _Readable(Protocol):
        def read(self, size: int, /) -> bytes: ...


DIRECTORY, FILE, LINK = "directory", "file", "link"
Member = tuple[str, str, bytes]
# A header is a block, long names and times are two or three more; what one member does not need, the next may.
_HEADERS, _HEADERS_AT_ONCE = 4 << 10, 64 << 10
# Zeros up to the end of a tape record; tar's largest usual blocking factor makes records of 1 MiB.
_PADDING = 4 << 20
_SHOWN = 200


class ArchiveError(Exception):
    """The archive is refused; the message names the member and what is wrong with it."""


class _Limited:
    """A stream that gives no more than was allowed: a decompression bomb ends here, whatever it claims to be."""

    def __init__(self, stream: _Readable) -> None:
        self._stream = stream
        self._left = _HEADERS_AT_ONCE

    def allow_headers(self) -> None:
        self._left = min(self._left + _HEADERS, _HEADERS_AT_ONCE)

    def allow(self, size: int) -> None:
        self._left += size

    def read(self, size: int) -> bytes:
        data = self._stream.read(min(size, self._left + 1))
        self._left -= len(data)
        if self._left < 0:
            raise ArchiveError(f"more than {_HEADERS_AT_ONCE >> 10} KiB between the contents of two members")
        return data


class _Header(tarfile.TarInfo):
    """A header that must be there: tarfile itself takes the first one it cannot read for the end of the archive."""

    @classmethod
    def fromtarfile(cls, archive: tarfile.TarFile) -> _Header:
        try:
            return super().fromtarfile(archive)
        except tarfile.EOFHeaderError:  # type: ignore[attr-defined]
            raise
        except tarfile.EmptyHeaderError as error:  # type: ignore[attr-defined]
            raise tarfile.ReadError("no end-of-archive block") from error
        except tarfile.HeaderError as error:
            raise tarfile.ReadError(str(error)) from error


def shown(text: str) -> str:
    """A stranger's text on one line of ours."""
    return repr(text) if len(text) <= _SHOWN else f"{text[:_SHOWN]!r}..."


def members(path: str) -> Iterator[Member]:
    """(name, kind, content) of every member as it comes; raises OSError, or ArchiveError. A link's content is its target."""
    with os.fdopen(opened(path)[0], "rb") as packed, _refusals(), gzip.open(packed) as plain:
        stream = _Limited(plain)
        with tarfile.open(fileobj=stream, mode="r|", tarinfo=_Header) as archive:  # type: ignore[call-overload]
            while member := archive.next():
                yield _read(archive, stream, member)
                # What tarfile would keep to the end: each member, with a copy of all global headers.
                archive.members.clear()
                archive.pax_headers.clear()
                stream.allow_headers()
            _end(archive, stream)


@contextmanager
def _refusals() -> Iterator[None]:
    """One error for all the ways in which gzip and tarfile stumble over what is not theirs."""
    try:
        yield
    except (tarfile.TarError, gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise ArchiveError(f"not a complete tar.gz ({error})") from error
    except (ValueError, OverflowError, IndexError) as error:
        # Numbers in extended headers, which tarfile converts and adds unseen.
        raise ArchiveError(f"a header that is not one of tar's ({error})") from error
    except OSError as error:
        raise ArchiveError(error.strerror or str(error)) from error


def _read(archive: tarfile.TarFile, stream: _Limited, member: tarfile.TarInfo) -> Member:
    if member.isdir():
        return member.name, DIRECTORY, b""
    if member.issym():
        return member.name, LINK, member.linkname.encode("utf-8", "surrogateescape")
    if not member.isreg():
        raise ArchiveError(f"{shown(member.name)}: expected files, directories and symbolic links only")
    if not 0 <= member.size <= LIMIT:
        raise ArchiveError(f"{shown(member.name)}: {member.size} bytes, expected at most {LIMIT}")
    stream.allow(member.size)
    content = archive.extractfile(member)
    return member.name, FILE, content.read() if content else b""


def _end(archive: tarfile.TarFile, stream: _Limited) -> None:
    """Read on to the end of the stream, where gzip compares its checksum; a header lost to zeros shows here too."""
    stream.allow(_PADDING)
    while rest := archive.fileobj.read(tarfile.RECORDSIZE):
        if rest.strip(b"\0"):
            raise ArchiveError("holds more after its end-of-archive block")
