"""Completions for bash, zsh and fish, made by shtab from the parser: everything is in the file, nothing is loaded at a TAB."""

from __future__ import annotations

from hostagent.advice import CODES
from hostagent.cli.words import parser
from hostagent.report import AREAS

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

# Shell to the name its completions have where they are installed: bash-completion(7), zsh's fpath, fish's vendor_completions.d.
SHELLS = {"bash": "hostagent.bash", "zsh": "_hostagent", "fish": "hostagent.fish"}
# What the parser takes as free text, since it says better than argparse what is wrong with it.
_WORDS = {"code": tuple(CODES), "only": tuple(AREAS)}
# Shells print a description beside every word: what is good for --help is a screenful there.
_LONGEST = 120


def completion(shell: str) -> str:
    """The completions of one shell."""
    import shtab

    text = shtab.complete(_completed(parser()), shell=shell)
    if shell == "zsh":
        # shtab lets a positional argument that can be repeated exclude all others, itself too: only the first would be completed.
        text = text.replace('  "(*)::', '  "*:').replace('  "(*):', '  "*:')
    return "".join(f"{line.rstrip()}\n" for line in text.rstrip().split("\n"))


def parts(top: argparse.ArgumentParser) -> Iterator[argparse.ArgumentParser]:
    """The parser and those of its commands."""
    import argparse

    yield top
    for action in top._actions:  # noqa: SLF001 - as shtab and argparse-manpage do
        if isinstance(action, argparse._SubParsersAction):  # noqa: SLF001
            for part in dict.fromkeys(action.choices.values()):
                yield from parts(part)


def _completed(top: argparse.ArgumentParser) -> argparse.ArgumentParser:
    """Let the shell offer files where a file is meant, and words where they are known."""
    import shtab

    for part in parts(top):
        for action in part._actions:  # noqa: SLF001
            named = str(action.metavar or "")
            if "FILE" in named or "CAPTURE" in named:
                action.complete = shtab.FILE  # type: ignore[attr-defined]
            elif "DIR" in named:
                action.complete = shtab.DIRECTORY  # type: ignore[attr-defined]
            elif action.dest in _WORDS:
                action.choices = _WORDS[action.dest]
            if action.help and len(action.help) > _LONGEST and action.choices:
                action.help = named.lower()
    return top
