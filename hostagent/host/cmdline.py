"""The command line this kernel was booted with: /proc/cmdline, read and parsed once a survey.

What the next boot will use stands in boot loader entries, which only root may read; it is not looked at.
"""

from __future__ import annotations

from hostagent.host.limits import COMMAND_LINE_BYTES
from hostagent.host.reader import Reader
from hostagent.values.cmdline import Parameter, parse

CMDLINE = "proc/cmdline"


def parameters(reader: Reader) -> tuple[Parameter, ...] | None:
    """(name, value) of every kernel parameter in order; None where the root does not say."""
    return reader.once(_parameters)


def _parameters(reader: Reader) -> tuple[Parameter, ...] | None:
    line = text(reader)
    return None if line is None else parse(line)


def text(reader: Reader) -> str | None:
    """The whole line; None, and a Problem, where it is longer than any kernel takes: then no parameter is known."""
    data = reader.raw(CMDLINE)
    if data is not None and len(data) > COMMAND_LINE_BYTES:
        reader.too_large(CMDLINE, f"{COMMAND_LINE_BYTES} bytes")
        return None
    return reader.text(CMDLINE)
