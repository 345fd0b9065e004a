"""A machine made ready as an administrator would: check, render, copy, enable, reboot with the kernel arguments."""

from __future__ import annotations

import json
from typing import Any

from tests.lab.boot import Guest
from tests.lab.look import Json, Look

PROFILE = "/root/profile.yaml"
RENDERED = "/root/rendered"


def drivers(look: Look) -> dict[str, str | None]:
    """Who drives each function."""
    return {function["address"]: function["driver"] for function in look.area("pci")["functions"]}


def findings(guest: Guest, *, status: int) -> list[Json]:
    """What `check` says of the node, with the exit status that goes with it."""
    said: Any = guest.hostagent("check", "--profile", PROFILE, "-o", "json", statuses=(status,)).json()
    (node,) = said["nodes"]
    return list(node["findings"])


def codes(found: list[Json], *severities: str) -> set[str]:
    """The codes of findings of some severities."""
    return {finding["code"] for finding in found if finding["severity"] in severities}


def refusal(guest: Guest, profile: str) -> str:
    """What `render` says to a profile that it refuses: one line, no output, no file."""
    guest.write("/root/refused.yaml", profile)
    done = guest.hostagent("render", "all", "--profile", "/root/refused.yaml", "-o", "/root/refused", statuses=(2,))
    assert done.out == b""
    assert guest.run("test", "-e", "/root/refused").status == 1
    message = done.err.decode()
    assert message.count("\n") == 1
    return message


def install(guest: Guest) -> str:
    """Write what is rendered where it belongs and enable the units; the kernel arguments as GRUB's script would have them."""
    guest.hostagent("render", "all", "--profile", PROFILE, "-o", RENDERED)
    guest.sh(
        f"cp -a {RENDERED}/etc/. /etc/; cd /etc/systemd/system; systemctl --no-reload enable $(ls hostagent-*.service)"
    )
    return guest.sh('. /etc/default/grub.d/50-hostagent.cfg; echo "$GRUB_CMDLINE_LINUX"').strip()


def rendered(guest: Guest, directory: str) -> str:
    """Every file there, with its mode."""
    return guest.sh(f"cd {directory}; find . -type f -printf '%m %p\\n' | sort; cat $(find . -type f | sort)")


def rendered_again(guest: Guest) -> str:
    """What is rendered now."""
    guest.hostagent("render", "all", "--profile", PROFILE, "-o", "/root/again")
    return rendered(guest, "/root/again")


def kernel_groups(guest: Guest) -> dict[str, bool]:
    """Every /dev/vfio/N, and whether the kernel calls its group viable."""
    found: dict[str, bool] = json.loads(guest.run("python3", "/lab/witness.py", "groups").out)
    return found
