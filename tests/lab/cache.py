"""Where built things live, and when they are built again: a directory named by a hash of what it was made from."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path


def directory() -> Path:
    """$HOSTAGENT_LAB_CACHE, else hostagent-lab in the user's cache."""
    chosen = os.environ.get("HOSTAGENT_LAB_CACHE")
    if chosen:
        return Path(chosen)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "hostagent-lab"


def key(*inputs: str | bytes) -> str:
    """A name for what is made from `inputs`."""
    digest = hashlib.sha256()
    for item in inputs:
        data = item.encode() if isinstance(item, str) else item
        digest.update(b"%d:" % len(data) + data)
    return digest.hexdigest()[:16]


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def built(kind: str, name: str, build: Callable[[Path], None]) -> Path:
    """The directory `kind`-`name` of the cache, built once: complete or not there, whoever else builds meanwhile.

    Older ones of the same kind go, so that the cache holds one image and not its history.
    """
    cache = directory()
    cache.mkdir(parents=True, exist_ok=True)
    target = cache / f"{kind}-{name}"
    if target.is_dir():
        return target
    with _locked(cache / f"{kind}.lock"):
        if target.is_dir():
            return target
        fresh = Path(tempfile.mkdtemp(prefix=f"{kind}.new.", dir=cache))
        try:
            build(fresh)
        except BaseException:
            shutil.rmtree(fresh, ignore_errors=True)
            raise
        for old in cache.glob(f"{kind}-*"):
            shutil.rmtree(old, ignore_errors=True)
        fresh.chmod(0o755)
        fresh.rename(target)
    return target
