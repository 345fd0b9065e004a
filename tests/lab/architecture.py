"""What differs between the processors the lab emulates: package names, and how their root is made."""

from __future__ import annotations

from dataclasses import dataclass

COMMON = (
    *("systemd", "systemd-sysv", "udev", "kmod", "util-linux", "procps", "iproute2", "python3"),
    *("pciutils", "numactl", "e2fsprogs", "dmsetup"),
)
# Without Debian's install scripts nothing is essential by itself.
BARE = (
    *("base-files", "dash", "coreutils", "libc-bin", "mawk", "findutils", "grep", "sed", "util-linux", "mount", "kmod"),
    *("procps", "iproute2", "python3", "pciutils", "busybox-static"),
)


@dataclass(frozen=True, kw_only=True)
class Architecture:
    """`foreign`: this processor cannot run its programs, so that packages are unpacked and no script of theirs is run."""

    debian: str
    kernel: str  # the meta-package: names with ABI numbers vanish from the archive
    packages: tuple[str, ...]
    wheels: tuple[str, ...]
    foreign: bool


def _wheels(machine: str, *versions: str) -> tuple[str, ...]:
    return tuple(f"manylinux{version}_{machine}" for version in versions)


AMD64 = Architecture(
    debian="amd64",
    kernel="linux-image-6.12-amd64",
    packages=COMMON,
    wheels=_wheels("x86_64", "_2_28", "_2_17", "2014", "_2_12"),
    foreign=False,
)
ARM64 = Architecture(
    debian="arm64",
    kernel="linux-image-6.12-arm64",
    packages=BARE,
    wheels=_wheels("aarch64", "_2_28", "_2_17", "2014"),
    foreign=True,
)
