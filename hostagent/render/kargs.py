"""Kernel arguments for the tools that set them (Documentation/admin-guide/kernel-parameters.rst).

Order is kept everywhere: `hugepages=` belongs to the `hugepagesz=` before it. An argument is one word as the kernel
splits its command line (double quotes protect blanks), or several words in one item where they must stay together.
"""

from __future__ import annotations

import json
import shlex

from hostagent.render.files import RenderError
from hostagent.values.cmdline import words

GRUB_PATH = "/etc/default/grub.d/50-hostagent.cfg"
BOOTC_PATH = "/usr/lib/bootc/kargs.d/50-hostagent.toml"
_PLACE = "kernel arguments"
_HUGEPAGES = ("default_hugepagesz", "hugepagesz", "hugepages")
# What GRUB's own script language would act on in the `linux` line of grub.cfg, and the shell before it.
_GRUB_SPECIAL = "$`\\'{}|&;<>"


def checked(arguments: tuple[str, ...]) -> tuple[str, ...]:
    """The words of all arguments, or RenderError for one that is no argument."""
    found: list[str] = []
    for argument in arguments:
        if not argument.strip():
            raise RenderError(_PLACE, f"{argument!r} is empty")
        if not argument.isprintable():
            raise RenderError(_PLACE, f"{argument!r} has a line end or another control character")
        if argument.count('"') % 2:
            raise RenderError(_PLACE, f"{argument!r} has a double quote that is not closed")
        if "--" in argument.split():
            raise RenderError(_PLACE, "'--' ends the kernel's arguments: what follows it belongs to init")
        found += words(argument)
    return tuple(found)


def paired(arguments: tuple[str, ...]) -> tuple[str, ...]:
    """Every `hugepagesz=` in one item with the `hugepages=` after it.

    Butane takes no item twice, and two sizes may want the same count; the Machine Config Operator splits the item.
    """
    checked(arguments)
    items: list[str] = []
    for argument in arguments:
        follows = bool(items) and items[-1].startswith("hugepagesz=") and " " not in items[-1]
        if follows and argument.startswith("hugepages="):
            items[-1] += f" {argument}"
        else:
            items.append(argument)
    return tuple(items)


def separate(arguments: tuple[str, ...]) -> tuple[str, ...]:
    """One word an item, each given once, for Ignition: it looks for each word on its own and adds what is missing."""
    found = checked(arguments)
    for word in found:
        if any(letter.isspace() for letter in word):
            raise RenderError(_PLACE, f"{word!r} has a blank: Ignition would add it again at every look")
        if found.count(word) > 1:
            raise RenderError(_PLACE, f"{word!r} is given twice, and Ignition adds each argument only once")
    return found


def plain(arguments: tuple[str, ...]) -> str:
    """One line, as it would stand in /proc/cmdline."""
    return " ".join(checked(arguments)) + "\n"


def grubby(arguments: tuple[str, ...]) -> str:
    """The command for RHEL, CentOS and Fedora; ALL, because DEFAULT leaves the other kernels without them."""
    found = checked(arguments)
    note = "# A name is repeated here; make sure that grubby kept each: grubby --info=ALL\n" if _repeats(found) else ""
    return f"{note}grubby --update-kernel=ALL --args={shlex.quote(' '.join(found))}\n" if found else ""


def rpm_ostree(arguments: tuple[str, ...]) -> str:
    """The command for Fedora CoreOS, IoT, Silverblue and MicroShift.

    `--append-if-missing` would leave out the second of two equal words, so huge page arguments that repeat one are all
    appended as they are, which makes the command one to run once.
    """
    found = checked(arguments)
    if not found:
        return ""
    repeated = len(set(found)) != len(found)
    pools = tuple(word for word in found if repeated and word.partition("=")[0] in _HUGEPAGES)
    others = tuple(dict.fromkeys(word for word in found if word not in pools))
    note = "# Run this once: --append adds the huge page arguments again at every run.\n" if pools else ""
    options = [f"--append-if-missing={shlex.quote(word)}" for word in others]
    options += [f"--append={shlex.quote(word)}" for word in pools]
    return f"{note}rpm-ostree kargs {' '.join(options)}\n"


def grub_dropin(arguments: tuple[str, ...]) -> str:
    """GRUB_PATH for Debian and Ubuntu; `update-grub` reads it after /etc/default/grub."""
    return f"# Read by update-grub after /etc/default/grub.\n{_grub_line(arguments)}"


def suse(arguments: tuple[str, ...]) -> str:
    """Lines to append to /etc/default/grub, which SUSE's grub2-mkconfig reads without a drop-in directory."""
    return (
        "# Append the next line to /etc/default/grub, then run: grub2-mkconfig -o /boot/grub2/grub.cfg\n"
        "# On SLE Micro: transactional-update grub.cfg. Reboot afterwards.\n" + _grub_line(arguments)
    )


def bootc(arguments: tuple[str, ...], *, architecture: str | None) -> str:
    """BOOTC_PATH, TOML that is part of a bootable container image; for one architecture (`x86_64`) or for all."""
    lines = [f"kargs = [{', '.join(map(_toml, checked(arguments)))}]"]
    if architecture is not None:
        lines.append(f"match-architectures = [{_toml(architecture)}]")
    return "".join(f"{line}\n" for line in lines)


def _grub_line(arguments: tuple[str, ...]) -> str:
    found = checked(arguments)
    for word in found:
        odd = next((letter for letter in word if letter in _GRUB_SPECIAL), None)
        if odd is not None:
            raise RenderError(_PLACE, f"{word!r} has {odd!r}, which means something else to GRUB")
    text = " ".join(("$GRUB_CMDLINE_LINUX", *(word.replace('"', '\\"') for word in found)))
    return f'GRUB_CMDLINE_LINUX="{text}"\n'


def _repeats(found: tuple[str, ...]) -> bool:
    names = [word.partition("=")[0] for word in found]
    return len(set(names)) != len(names)


def _toml(text: str) -> str:
    """A basic string of TOML; JSON's escapes are among its own."""
    return json.dumps(text, ensure_ascii=False)
