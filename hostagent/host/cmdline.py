"""The command line this kernel was booted with: /proc/cmdline, read and parsed once a survey.

What the next boot will use stands in boot loader entries, which only root may read; it is not looked at.
"""

from __future__ import annotations

from hostagent.host.reader import Reader
from hostagent.values.cmdline import Parameter, parse

CMDLINE = "proc/cmdline"


def parameters(reader: Reader) -> tuple[Parameter, ...] | None:
    """(name, value) of every kernel parameter in order; None where the root does not say."""
    return reader.once(_parameters)


def _parameters(reader: Reader) -> tuple[Parameter, ...] | None:
    text = reader.text(CMDLINE)
    return None if text is None else parse(text)
