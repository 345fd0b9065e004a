"""What is put over the root of every machine: the checkout's hostagent, the agent, the inits, the machine's own files."""

from __future__ import annotations

import functools
import py_compile
import sys
import tempfile
from pathlib import Path

from tests.lab import cpio
from tests.lab.image import CHECKOUT, DIST_PACKAGES, HERE, PYTHON
from tests.lab.machine import Machine

LAUNCHER = "#!/usr/bin/python3\nimport sys\nfrom hostagent.cli import main\nsys.exit(main())\n"


def _compiled(path: Path, inside: str, scratch: Path) -> bytes:
    """Byte code that is not checked against its source: the dates in an archive say nothing."""
    mode = py_compile.PycInvalidationMode.UNCHECKED_HASH
    py_compile.compile(str(path), cfile=str(scratch), dfile=inside, invalidation_mode=mode, doraise=True)
    return scratch.read_bytes()


def _hostagent() -> list[cpio.Entry]:
    """The package where the guest's Python finds it; compiled, where our Python is of the same version."""
    entries = [cpio.file("overlay/usr/bin/hostagent", LAUNCHER, 0o755)]
    same = f"{sys.version_info.major}.{sys.version_info.minor}" == PYTHON
    with tempfile.TemporaryDirectory() as scratch:
        for path in sorted((CHECKOUT / "hostagent").rglob("*")):
            if path.is_dir() or "__pycache__" in path.parts:
                continue
            inside = f"/{DIST_PACKAGES}/{path.relative_to(CHECKOUT)}"
            entries.append(cpio.file(f"overlay{inside}", path.read_bytes()))
            if same and path.suffix == ".py":
                folder, _, file = inside.rpartition("/")
                name = f"overlay{folder}/__pycache__/{file.removesuffix('.py')}.cpython-311.pyc"
                entries.append(cpio.file(name, _compiled(path, inside, Path(scratch) / "code")))
    return entries


@functools.cache
def common() -> bytes:
    """The archive every machine gets; hostagent as it is when the first machine boots."""
    guest = HERE / "guest"
    wants = "overlay/etc/systemd/system/multi-user.target.wants/lab-agent.service"
    entries = [
        cpio.file("init", (guest / "initramfs.sh").read_bytes(), 0o755),
        cpio.file("overlay/lab/init-fast", (guest / "init-fast.sh").read_bytes(), 0o755),
        cpio.file("overlay/lab/agent.py", (guest / "agent.py").read_bytes()),
        cpio.file("overlay/lab/witness.py", (guest / "witness.py").read_bytes()),
        cpio.file("overlay/etc/systemd/system/lab-agent.service", (guest / "lab-agent.service").read_bytes()),
        cpio.link(wants, "/etc/systemd/system/lab-agent.service"),
        *_hostagent(),
    ]
    return cpio.archive(entries)


def own(machine: Machine) -> bytes:
    """The archive of one machine's own files."""
    entries = [(f"overlay/{path}", mode, content) for path, mode, content in machine.files]
    return cpio.archive([cpio.folder("overlay"), *entries])
