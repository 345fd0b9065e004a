"""Reading a directory tree as the machine it is, without ever leaving it.

Two trees, one set of operations. `LiveTree` is `/`: the kernel resolves links, because sysfs is the kernel's own.
`BoundTree` is any other root (a fixture, an unpacked capture, `/host` in a pod): there a link may be absolute, climb
above the root or name itself, so components are resolved here, as openat2(RESOLVE_IN_ROOT) would: `..` at the root stays at the
root and absolute targets start at the root. It costs one listing for each directory on the way, none for each file.

Operations raise OSError; what an errno means is for `reader` to say.
"""

from __future__ import annotations

import errno
import os

# The largest text read in one piece. /proc/cpuinfo of 1,024 CPUs is 1.5 MB, modules.alias 1.5 MB.
LIMIT = 8 << 20
_CHUNK = 1 << 16
_PAGE = 4096
# As the kernel: more link expansions than this in one path is a loop.
_MAX_LINKS = 40


class TooLargeError(Exception):
    """A file that does not end within LIMIT bytes."""


def _slurp(fd: int, first: int) -> bytes:
    """All bytes of an open file. A short first read of a sysfs attribute (at most a page) is the whole of it."""
    data = os.read(fd, first)
    if first == _PAGE and len(data) < _PAGE:
        return data
    parts, size = [data], len(data)
    while data:
        data = os.read(fd, _CHUNK)
        parts.append(data)
        size += len(data)
        if size > LIMIT:
            raise TooLargeError
    return b"".join(parts)


class LiveTree:
    """The tree the kernel serves at `root`, its links followed by the kernel."""

    def __init__(self, root: str) -> None:
        self.root = root
        self._fd = os.open(root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)

    def close(self) -> None:
        os.close(self._fd)

    def read(self, path: str) -> bytes:
        # O_NONBLOCK: a FIFO planted where a file is expected must not hang the survey.
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOCTTY, dir_fd=self._fd)
        try:
            return _slurp(fd, _PAGE if path.startswith("sys/") else _CHUNK)
        finally:
            os.close(fd)

    def names(self, path: str) -> list[str]:
        fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC, dir_fd=self._fd)
        try:
            return os.listdir(fd)
        finally:
            os.close(fd)

    def link(self, path: str) -> str:
        return os.readlink(path, dir_fd=self._fd)

    def status(self, path: str) -> os.stat_result:
        """lstat: of the link itself where `path` is one."""
        return os.stat(path, dir_fd=self._fd, follow_symlinks=False)

    def resolve(self, path: str) -> str:
        """Where `path` really is, relative to the root."""
        real = os.path.realpath(os.path.join(self.root, path), strict=True)
        return os.path.relpath(real, os.path.realpath(self.root))


class BoundTree(LiveTree):
    """A tree that cannot be left: every link is resolved inside the root."""

    def __init__(self, root: str) -> None:
        super().__init__(root)
        self._links: dict[str, frozenset[str]] = {}  # real directory -> names in it that are links
        self._real: dict[str, str] = {"": ""}  # directory as asked -> real directory

    def _links_in(self, directory: str) -> frozenset[str]:
        found = self._links.get(directory)
        if found is None:
            try:
                fd = os.open(directory or ".", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC, dir_fd=self._fd)
                try:
                    with os.scandir(fd) as entries:
                        found = frozenset(entry.name for entry in entries if entry.is_symlink())
                finally:
                    os.close(fd)
            except OSError:
                # Missing, a file, or not listable. The operation itself will say what is wrong; O_NOFOLLOW keeps it inside.
                found = frozenset()
            self._links[directory] = found
        return found

    def _directory(self, path: str) -> str:
        """The real path of a directory, by its components, each looked up once."""
        known = self._real.get(path)
        if known is None:
            known = self._walk(path)
            self._real[path] = known
        return known

    def _walk(self, path: str) -> str:
        """Resolve every component of `path`, the last one too."""
        done: list[str] = []
        left = path.split("/")[::-1]
        links = 0
        while left:
            name = left.pop()
            if name in ("", "."):
                continue
            if name == "..":
                del done[-1:]
                continue
            here = "/".join(done)
            if name not in self._links_in(here):
                done.append(name)
                continue
            links += 1
            if links > _MAX_LINKS:
                raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), path)
            target = os.readlink(f"{here}/{name}" if here else name, dir_fd=self._fd)
            if target.startswith("/"):
                done = []
            left += target.split("/")[::-1]
        return "/".join(done)

    def resolve(self, path: str) -> str:
        return self._walk(path)

    def _beside(self, path: str) -> str:
        """`path` with its directory resolved and its last component as it is."""
        head, _, name = path.rpartition("/")
        if name in ("", ".", ".."):
            return self._walk(path) or "."
        real = self._directory(head)
        return f"{real}/{name}" if real else name

    def read(self, path: str) -> bytes:
        flags = os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOCTTY | os.O_NOFOLLOW
        try:
            fd = os.open(self._beside(path), flags, dir_fd=self._fd)
        except OSError as error:
            if error.errno != errno.ELOOP:
                raise
            fd = os.open(self._walk(path) or ".", flags, dir_fd=self._fd)
        try:
            return _slurp(fd, _PAGE if path.startswith("sys/") else _CHUNK)
        finally:
            os.close(fd)

    def names(self, path: str) -> list[str]:
        return super().names(self._directory(path) or ".")

    def link(self, path: str) -> str:
        return super().link(self._beside(path))

    def status(self, path: str) -> os.stat_result:
        return super().status(self._beside(path))
