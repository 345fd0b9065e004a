"""Reading a directory tree as the machine it is, without ever leaving it.

Two trees, one set of operations. `LiveTree` is `/`: the kernel resolves links, because sysfs is the kernel's own.
`BoundTree` is any other root (a fixture, an unpacked capture, `/host` in a pod): there a link may be absolute, climb
above the root or name itself, so components are resolved here, as openat2(RESOLVE_IN_ROOT) would: `..` at the root stays at the
root and absolute targets start at the root. It costs one listing for each directory on the way, none for each file.

Only regular files are opened to be read, after a look at what they are (`host.regular`); in sysfs and procfs there is nothing
else, and no look (`host.kernelfs`).

Operations raise OSError; what an errno means is for `reader` to say.
"""

from __future__ import annotations

import errno
import os

from hostagent.host.kernelfs import KernelFiles
from hostagent.host.limits import CHUNK, PAGE
from hostagent.host.limits import TEXT_BYTES as LIMIT
from hostagent.host.regular import TooLargeError, opened, slurp

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

# A directory: a descriptor, and a path below it.
Place = tuple[int, str]

# Of the kernel's own files only.
_FLAGS = os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOCTTY
_BOUND_FLAGS = _FLAGS | os.O_NOFOLLOW
_DIRECTORY_FLAGS = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
_DOTS = frozenset({"", ".", ".."})
# As the kernel: more link expansions than this in one path is a loop, and a longer path is none.
_MAX_LINKS, _MAX_PATH = 40, 4096


def _first(path: str, size: int) -> int:
    """How much to read first. pci.ids in pieces of 64 KB takes twice the time and memory of one piece."""
    if path.startswith("sys/"):
        return PAGE
    if path.startswith("proc/"):
        return CHUNK
    return min(max(size + 1, CHUNK), LIMIT)


class LiveTree:
    """The tree the kernel serves at `root`, its links followed by the kernel."""

    def __init__(self, root: str) -> None:
        self.root = root
        self._bound: BoundTree | None = None
        self._fd = os.open(root, _DIRECTORY_FLAGS)
        self._kernels = KernelFiles(self._fd)
        self._quick = False  # whether the last of `places` is the kernel's

    def close(self) -> None:
        """Give the directory descriptors back. Idempotent."""
        if self._bound is not None:
            self._bound.close()
        fd, self._fd = self._fd, -1
        if fd >= 0:
            os.close(fd)

    def __del__(self) -> None:
        """A tree that nobody closed must not cost a descriptor for the life of a daemon."""
        if getattr(self, "_fd", -1) >= 0:
            self.close()

    def read(self, path: str) -> bytes:
        return self._read(path, path, follow=True)

    def _read(self, path: str, real: str, *, follow: bool) -> bytes:
        """The bytes of what is asked for as `path`, and is to be opened as `real`."""
        if self._kernels.has(real):
            fd, size = os.open(real, _FLAGS if follow else _BOUND_FLAGS, dir_fd=self._fd), 0
        else:
            fd, size = opened(real, at=self._fd, follow=follow)
        try:
            return slurp(fd, _first(path, size), LIMIT)
        finally:
            os.close(fd)

    def places(self, directory: str, names: Iterable[str]) -> Iterator[Place | None]:
        """For each directory named in `directory`, where it is; good until the next is asked for. Raises OSError for `directory`.

        None where that takes the care of the other operations to find out.
        """
        fd = os.open(directory, _DIRECTORY_FLAGS, dir_fd=self._fd)
        self._quick = self._kernels.has(directory)
        try:
            yield from ((fd, name) for name in names)
        finally:
            os.close(fd)

    def attribute(self, place: Place, name: str, limit: int) -> bytes:
        """A small file in one of `places`: `read` without its care. TooLargeError from `limit` bytes on, which is the buffer."""
        at, path = place
        file = f"{path}/{name}"
        fd = os.open(file, _BOUND_FLAGS, dir_fd=at) if self._quick else opened(file, at=at, follow=False)[0]
        try:
            data = os.read(fd, limit)
        finally:
            os.close(fd)
        if len(data) >= limit:
            raise TooLargeError
        return data

    def attribute_link(self, place: Place, name: str) -> str | None:
        """The target of a link in one of `places`; None where there is none."""
        at, path = place
        try:
            return os.readlink(f"{path}/{name}", dir_fd=at)
        except FileNotFoundError:
            return None

    def attribute_exists(self, place: Place, name: str) -> bool:
        """Whether something is there, in one of `places`; a link counts, wherever it leads."""
        at, path = place
        try:
            os.stat(f"{path}/{name}", dir_fd=at, follow_symlinks=False)
        except FileNotFoundError:
            return False
        return True

    def names(self, path: str) -> list[str]:
        fd = os.open(path, _DIRECTORY_FLAGS, dir_fd=self._fd)
        try:
            return os.listdir(fd)
        finally:
            os.close(fd)

    def link(self, path: str) -> str:
        return os.readlink(path, dir_fd=self._fd)

    def status(self, path: str) -> object:
        """lstat: of the link itself where `path` is one."""
        return os.stat(path, dir_fd=self._fd, follow_symlinks=False)

    def aside(self, path: str) -> bytes:
        """As `read`, of what is asked about the tree and not about the machine: it is in no capture, and read from none."""
        return self.read(path)

    def presented(self, path: str, data: bytes) -> bytes:  # noqa: ARG002 - a view of a tree shows something else
        """A fact that no file holds, as a file of that path would be read."""
        return data

    def stamp(self, path: str) -> tuple[int, ...]:
        """What is another once a file was changed or replaced."""
        found = os.stat(path, dir_fd=self._fd)
        return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns

    def resolve(self, path: str) -> str:
        """Where `path` really is, relative to the root; its last component need not exist."""
        if self._bound is None:
            self._bound = BoundTree(self.root)
        return self._bound.resolve(path)


class BoundTree(LiveTree):
    """A tree that cannot be left: every link is resolved inside the root."""

    def __init__(self, root: str) -> None:
        super().__init__(root)
        self._links: dict[str, frozenset[str] | None] = {}  # real directory -> names in it that are links
        self._real: dict[str, str] = {"": ""}  # path as asked -> real path

    def _links_in(self, directory: str) -> frozenset[str] | None:
        """Names of the links in a real directory; None where it may not be listed."""
        if directory not in self._links:
            try:
                self._links[directory] = self._links_of(directory)
            except OSError as error:
                # Missing, or a file: nothing is in it. The operation itself will say what is wrong.
                self._links[directory] = frozenset() if error.errno in (errno.ENOENT, errno.ENOTDIR) else None
        return self._links[directory]

    def _links_of(self, directory: str) -> frozenset[str]:
        fd = os.open(directory or ".", _DIRECTORY_FLAGS, dir_fd=self._fd)
        try:
            with os.scandir(fd) as entries:
                return frozenset(entry.name for entry in entries if entry.is_symlink())
        finally:
            os.close(fd)

    def _is_link(self, base: str, name: str) -> bool:
        links = self._links_in(base)
        if links is not None:
            return name in links
        try:
            return bool(self._target(f"{base}/{name}" if base else name))
        except OSError:
            return False

    def _walk(self, path: str, links: int = _MAX_LINKS) -> str:
        """Where `path` really is, its last component resolved too. Every step is looked up once."""
        known = self._real.get(path)
        if known is not None:
            return known
        if len(path) > _MAX_PATH:
            raise OSError(errno.ENAMETOOLONG, os.strerror(errno.ENAMETOOLONG), path)
        steps, head = [], path
        while head not in self._real:
            steps.append(head)
            head = head.rpartition("/")[0]
        real = self._real[head]
        for step in reversed(steps):
            real = self._real[step] = self._step(real, step.rpartition("/")[2], links)
        return real

    def _step(self, base: str, name: str, links: int) -> str:
        """Where `name` in the real directory `base` really is."""
        if name in ("", "."):
            return base
        if name == "..":
            return base.rpartition("/")[0]
        if self._is_link(base, name):
            return self._follow(base, name, links)
        return f"{base}/{name}" if base else name

    def _follow(self, base: str, name: str, links: int) -> str:
        """Where the link `name` in the real directory `base` leads."""
        if links == 0:
            raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), name)
        target = self._target(f"{base}/{name}" if base else name)
        if target.startswith("/"):
            return self._walk(target.lstrip("/"), links - 1)
        # `base` has no links left, so climbing is a matter of text.
        while target.startswith("../"):
            base, target = base.rpartition("/")[0], target[3:].lstrip("/")
        return self._walk(f"{base}/{target}" if base else target, links - 1)

    def _target(self, path: str) -> str:
        return os.readlink(path, dir_fd=self._fd)

    def places(self, directory: str, names: Iterable[str]) -> Iterator[Place | None]:
        """As in `/`, without leaving: neighbours behind one bridge share the way to it."""
        base = self._walk(directory)
        links = os.open(base, _DIRECTORY_FLAGS, dir_fd=self._fd)
        up, at, odd = None, -1, None
        try:
            for name in names:
                try:
                    head, _, last = os.readlink(name, dir_fd=links).rpartition("/")
                    if head != up:
                        parent = self._walk(f"{base}/{head}")
                        up, at, odd = head, self._moved(at, parent), self._links_in(parent)
                        self._quick = self._kernels.has(parent)
                except OSError:
                    # No link, or one that leads nowhere or round in circles.
                    yield None
                    continue
                yield None if odd is None or last in odd or last in _DOTS else (at, last)
        finally:
            os.close(links)
            if at >= 0:
                os.close(at)

    def _moved(self, at: int, directory: str) -> int:
        """A descriptor of a real directory in place of `at`."""
        fd = os.open(directory or ".", _DIRECTORY_FLAGS | os.O_NOFOLLOW, dir_fd=self._fd)
        if at >= 0:
            os.close(at)
        return fd

    def stamp(self, path: str) -> tuple[int, ...]:
        return super().stamp(self._walk(path))

    def resolve(self, path: str) -> str:
        return self._walk(path)

    def _beside(self, path: str) -> str:
        """`path` with its directory resolved and its last component as it is."""
        head, _, name = path.rpartition("/")
        if name in _DOTS:
            return self._walk(path) or "."
        real = self._walk(head)
        return f"{real}/{name}" if real else name

    def read(self, path: str) -> bytes:
        try:
            return self._read(path, self._beside(path), follow=False)
        except OSError as error:
            if error.errno != errno.ELOOP:
                raise
            return self._read(path, self._walk(path) or ".", follow=False)

    def names(self, path: str) -> list[str]:
        return super().names(self._walk(path) or ".")

    def link(self, path: str) -> str:
        return super().link(self._beside(path))

    def status(self, path: str) -> object:
        return super().status(self._beside(path))
