"""Giving back memory that only the start, or only the last survey, needed.

* Importing and building models leaves 1 to 2 MB of holes in glibc's heap: malloc_trim(3).
* Reading settings runs 3 MB of pydantic's code once, starting TLS 3 MB of OpenSSL's: pages of files that nobody changed are
  unmapped, and come back from the page cache when they are run again (madvise(2), MADV_DONTNEED).

glibc and Linux only: elsewhere the calls are absent and nothing happens.
"""

from __future__ import annotations

import ctypes
import gc
from collections.abc import Iterable, Iterator
from contextlib import suppress

from hostagent.values.blanks import fields

_M_ARENA_MAX = -8
_MADV_DONTNEED = 4
_LOADED = ctypes.CDLL(None)  # once: each is a class of its own, and one a survey would be what this module is against


def one_arena() -> None:
    """Threads share one heap: ours take turns anyway, and a heap for each would keep what both once needed."""
    _libc("mallopt", _M_ARENA_MAX, 1)


def settle_down() -> None:
    """What is loaded now stays: the collector need not look at it again. Code that has run goes until it runs again."""
    gc.collect()
    gc.freeze()
    with suppress(OSError), open("/proc/self/smaps", encoding="utf-8", errors="replace") as mapped:
        for start, end in tuple(clean_code(mapped)):
            _libc("madvise", ctypes.c_void_p(start), ctypes.c_size_t(end - start), _MADV_DONTNEED)
    trim()


def trim() -> None:
    """Free memory goes back to the kernel."""
    _libc("malloc_trim", 0)


def _libc(name: str, *arguments: object) -> None:
    call = getattr(_LOADED, name, None)
    if call is not None:
        call(*arguments)


def clean_code(smaps: Iterable[str]) -> Iterator[tuple[int, int]]:
    """First address and end of each mapping of a file's code in which no page was changed: only those read the same again.

        7f3e8d600000-7f3e8d7ff000 r-xp 00026000 08:01 1234    /usr/lib/x86_64-linux-gnu/libc.so.6
        Rss:                1352 kB
        Anonymous:             0 kB

    /proc/<pid>/smaps, Documentation/filesystems/proc.rst. Anonymous counts pages that are not the file's any more.
    """
    where: tuple[int, int] | None = None
    for line in smaps:
        head, _, rest = line.partition(" ")
        if "-" in head and not head.endswith(":"):
            words = fields(rest)
            start, _, end = head.partition("-")
            code = len(words) > 4 and words[0] == "r-xp" and words[4].startswith("/")
            where = (int(start, 16), int(end, 16)) if code else None
        elif where is not None and head == "Anonymous:":
            if fields(rest)[0] == "0":
                yield where
            where = None
