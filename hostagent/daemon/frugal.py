"""Giving back memory that only the start needed: importing and building models leaves 1 to 2 MB of holes behind.

glibc only: elsewhere both calls are absent and nothing happens. mallopt(3), malloc_trim(3).
"""

from __future__ import annotations

import ctypes
import gc

_M_ARENA_MAX = -8


def one_arena() -> None:
    """Threads share one heap: ours take turns anyway, and a heap for each would keep what both once needed."""
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_M_ARENA_MAX, 1)


def settle_down() -> None:
    """What is loaded now stays: the collector need not look at it again, and free memory goes back."""
    gc.collect()
    gc.freeze()
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)
