"""Standard output: data only, UTF-8 whatever the locale, and a full disk is one line, not a traceback."""

from __future__ import annotations

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

_CHUNK = 1 << 17  # characters written at once


class OutputError(Exception):
    """Standard output did not take what was written. Exit status 4."""


def write(text: str | bytes) -> None:
    """Write data for machines: always UTF-8. Raises BrokenPipeError, or OutputError for anything else."""
    _write(text if isinstance(text, bytes) else text.encode("utf-8", "replace"))


def write_pieces(pieces: Iterable[str]) -> None:
    """`write` for a text that comes in pieces, holding few of them at a time."""
    waiting: list[str] = []
    size = 0
    for piece in pieces:
        waiting.append(piece)
        size += len(piece)
        if size > _CHUNK:
            write("".join(waiting))
            waiting.clear()
            size = 0
    write("".join(waiting))


def show(text: str) -> None:
    """Write text for people, in their terminal's encoding; what that cannot show becomes a question mark."""
    if sys.stdout is not None:
        _write(text.encode(sys.stdout.encoding, "replace"))


def _write(data: bytes) -> None:
    if sys.stdout is None:  # closed by the caller (`>&-`): nobody wants it
        return
    try:
        sys.stdout.flush()
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        raise OutputError(f"standard output: {error.strerror}") from error
