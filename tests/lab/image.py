"""The disk every machine of the lab boots from, made of Debian packages without mounts, loop devices or KVM.

mmdebstrap makes the root and, with the same package lists, fetches the kernel; pip fetches what hostagent depends on,
for the guest's Python. As root it simply runs; as another user it needs user namespaces (package uidmap).
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tomllib
from dataclasses import dataclass
from pathlib import Path

from tests.lab import architecture as architectures
from tests.lab import cache, cpio, kernel
from tests.lab.architecture import Architecture

HERE = Path(__file__).parent
CHECKOUT = HERE.parent.parent
SUITE = "bookworm"
PYTHON = "3.11"
DIST_PACKAGES = f"usr/local/lib/python{PYTHON}/dist-packages"
UNWANTED = ("/usr/share/doc/*", "/usr/share/man/*", "/usr/share/locale/*", "/usr/share/info/*")
# What slows a boot under emulation and serves no test.
MASKED = (
    *(
        "apt-daily.timer",
        "apt-daily-upgrade.timer",
        "dpkg-db-backup.timer",
        "e2scrub_all.timer",
        "e2scrub_reap.service",
    ),
    *("fstrim.timer", "getty@.service", "getty-static.service", "serial-getty@.service", "systemd-update-utmp.service"),
    *("proc-sys-fs-binfmt_misc.automount", "systemd-binfmt.service", "systemd-update-utmp-runlevel.service"),
    *("modprobe@loop.service", "modprobe@dm_mod.service", "modprobe@efi_pstore.service", "modprobe@fuse.service"),
    *("sys-fs-fuse-connections.mount", "systemd-pstore.service", "systemd-ask-password-wall.path", "dev-mqueue.mount"),
)
APPLETS = ("sh", "mount", "umount", "insmod", "cp", "cat", "echo", "switch_root")


class LabError(Exception):
    """The lab cannot do what was asked; the message says why, and what to do."""


@dataclass(frozen=True, kw_only=True)
class Image:
    """What a machine boots: kernel, initramfs (without an init: see boot.py), root disk, a small disk with a file system."""

    kernel: Path
    initrd: Path
    root: Path
    data: Path


def missing() -> str | None:
    """One line that names the packages to install, or None when all tools are there."""
    lines = (HERE / "packages.txt").read_text().splitlines()
    search = os.environ.get("PATH", "") + ":/usr/sbin:/sbin"
    absent = [package for package, tool in map(str.split, lines) if not shutil.which(tool, path=search)]
    return f"the lab needs packages that are not installed: apt-get install {' '.join(absent)}" if absent else None


def image(architecture: Architecture) -> Image:
    """The image, built on first use."""
    absent = missing()
    if absent:
        raise LabError(absent)
    # depmod and mke2fs are in sbin, which is not on everybody's path.
    os.environ["PATH"] = os.environ.get("PATH", "") + ":/usr/sbin:/sbin"
    sources = [
        Path(module.__file__) for module in (sys.modules[__name__], kernel, cpio, architectures) if module.__file__
    ]
    name = cache.key(*[path.read_bytes() for path in sources], *_dependencies())
    place = cache.built(architecture.debian, name, lambda place: _build(place, architecture))
    return Image(kernel=place / "vmlinux", initrd=place / "initrd", root=place / "root.ext4", data=place / "data.ext4")


def _dependencies() -> list[str]:
    project = tomllib.loads((CHECKOUT / "pyproject.toml").read_text())["project"]
    found: list[str] = project["dependencies"]
    return found


def _build(place: Path, architecture: Architecture) -> None:
    what = f"the {architecture.debian} image in {place.parent}"
    print(f"lab: building {what} (once, about a minute)", file=sys.stderr, flush=True)
    log = place.parent / f"build-{architecture.debian}.log"
    with log.open("wb") as output:
        try:
            _make(place, architecture, output.fileno())
        except subprocess.CalledProcessError as error:
            output.flush()
            tail = "\n".join(log.read_text(errors="replace").splitlines()[-20:])
            raise LabError(f"building {what} failed: {error}\n{tail}") from error


def _make(place: Path, architecture: Architecture, log: int) -> None:
    def run(*command: str | Path) -> None:
        subprocess.run(command, check=True, stdout=log, stderr=log, stdin=subprocess.DEVNULL)

    packages = place / "python"
    pip = [sys.executable, "-m", "pip", "install", "--target", str(packages), "--python-version", PYTHON]
    pip += [
        "--only-binary=:all:",
        "--no-compile",
        *[f"--platform={name}" for name in architecture.wheels],
        *_dependencies(),
    ]
    with subprocess.Popen(pip, stdout=log, stderr=log, stdin=subprocess.DEVNULL) as fetching:
        run(*_mmdebstrap(place / "root.tar", architecture))
    if fetching.returncode:
        raise subprocess.CalledProcessError(fetching.returncode, pip)
    as_root = () if os.geteuid() == 0 else ("unshare", "--map-root-user", "--map-auto")
    root = place / "root"
    root.mkdir()
    run(*as_root, "tar", "-C", root, "--exclude=./dev/*", "-xf", place / "root.tar")
    _kernel(root, place)
    shutil.copytree(packages, root / DIST_PACKAGES, dirs_exist_ok=True)
    if architecture.foreign:
        _by_hand(root)
    else:
        run(*as_root, "chroot", root, "python3", "-m", "compileall", "-q", f"/{DIST_PACKAGES}")
    run(*as_root, "mke2fs", "-q", "-t", "ext4", "-O", "^has_journal", "-d", root, place / "root.ext4", "1G")
    run("mke2fs", "-q", "-t", "ext4", "-L", "data", place / "data.ext4", "64M")
    run(*as_root, "rm", "-rf", root, packages, place / "root.tar")


def _by_hand(root: Path) -> None:
    """What the packages' scripts would have done, as far as a fast init needs it."""
    (root / "etc/passwd").write_text("root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/usr/sbin/nologin\n")
    (root / "etc/group").write_text("root:x:0:\nnogroup:x:65534:\n")
    for link, target in (("sh", "dash"), ("awk", "mawk")):
        if not (root / "usr/bin" / link).is_symlink():
            (root / "usr/bin" / link).symlink_to(target)
    if f"{sys.version_info.major}.{sys.version_info.minor}" == PYTHON:
        for part in (f"usr/lib/python{PYTHON}", DIST_PACKAGES):
            # Byte code does not depend on the processor. A module of the tests of a package may be meant not to compile.
            compiled = [sys.executable, "-m", "compileall", "-q", "-s", str(root), "-p", "/", str(root / part)]
            subprocess.run(compiled, check=False, capture_output=True)


def _mmdebstrap(target: Path, architecture: Architecture) -> list[str]:
    depends = f"apt-cache depends --important {architecture.kernel}"
    fetch = f'apt-get download $({depends} | sed -n "s/.*Depends: //p" | grep linux-image)'
    # The lists mmdebstrap has just fetched also say what the kernel is called today.
    kernel_hook = f'mkdir "$1/lab" && cd "$1/lab" && export APT_CONFIG="$MMDEBSTRAP_APT_CONFIG" && {fetch}'
    command = ["mmdebstrap", f"--architectures={architecture.debian}", f"--include={','.join(architecture.packages)}"]
    command += ["--aptopt=APT::Install-Recommends false", "--aptopt=APT::Sandbox::User root"]
    command += [f"--dpkgopt=path-exclude={path}" for path in UNWANTED]
    if architecture.foreign:
        command += [
            "--variant=extract",
            "--hook-dir=/usr/share/mmdebstrap/hooks/merged-usr",
            f"--extract-hook={kernel_hook}",
        ]
    else:
        names = 'echo 0123456789abcdef0123456789abcdef >"$1/etc/machine-id"; echo lab >"$1/etc/hostname"'
        command += ["--variant=minbase", f"--customize-hook={kernel_hook}", f"--customize-hook={names}"]
        command += [f'--customize-hook=chroot "$1" systemctl mask {" ".join(MASKED)}']
    mirror = os.environ.get("HOSTAGENT_LAB_MIRROR")
    return [*command, SUITE, str(target), *([mirror] if mirror else [])]


def _kernel(root: Path, place: Path) -> None:
    """From the package that mmdebstrap left in /lab: vmlinux and initramfs beside the disk, modules on it."""
    (package,) = (root / "lab").glob("*.deb")
    tree = place / "kernel"
    version = kernel.unpack(package, tree)
    package.unlink()
    (place / "vmlinux").write_bytes(kernel.vmlinux((tree / "boot" / f"vmlinuz-{version}").read_bytes()))
    (root / "boot").mkdir(exist_ok=True)
    shutil.copy(tree / "boot" / f"config-{version}", root / "boot")
    modules = kernel.install(tree, version, root)
    inside = root / "usr/bin/busybox"
    busybox = (inside if inside.exists() else Path(shutil.which("busybox") or "busybox")).read_bytes()
    entries = [cpio.folder(name) for name in ("dev", "proc", "root")]
    entries += [cpio.file("bin/busybox", busybox, 0o755), *[cpio.link(f"bin/{name}", "busybox") for name in APPLETS]]
    entries += [cpio.file(f"modules/{number}", content) for number, content in enumerate(modules)]
    entries += [cpio.file("modules/order", "".join(f"{number}\n" for number in range(len(modules))))]
    (place / "initrd").write_bytes(cpio.archive(entries))
    shutil.rmtree(tree)
