"""`Host`: one machine under one root, seen once. `Reader`: what one area reads there, and what went wrong.

Absence is data: a file the kernel does not offer is None. So is trouble: any other errno, and text that does not
parse, is None and a Problem. Everything read is remembered for the life of the Host, so that two areas
reading one file agree, whatever the machine does meanwhile.
"""

from __future__ import annotations

import errno
import os

from hostagent.host.limits import TEXT_BYTES as LIMIT
from hostagent.host.problem import MALFORMED, MANIFEST, NOT_REGULAR, TOO_LARGE, UNREADABLE, Problem
from hostagent.host.regular import NotRegularError, TooLargeError
from hostagent.host.regular import content as content_of
from hostagent.host.tree import BoundTree, LiveTree
from hostagent.values.number import whole

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any, TypeVar

    T = TypeVar("T")
    Tree = TypeVar("Tree", bound=LiveTree)

# Path to what tells whether the file changed, and what was worked out from it.
Left = dict[str, tuple[object, dict["Any", "Any"]]]
# The kernel does not offer it: no such file, no such device behind it, no such address, or a parent that is a file.
ABSENT = frozenset({errno.ENOENT, errno.ENODEV, errno.ENXIO, errno.ENOTDIR})
BLANKS = "\0\t\n\v\f\r "  # what stands around the text of a kernel file
FLAGS = {"Y": True, "1": True, "N": False, "0": False}
BOOT_ID = "proc/sys/kernel/random/boot_id"


class RootError(Exception):
    """The root given is not a machine: it does not exist, is no directory, or holds neither sys nor proc."""


class Vanished:
    """Stands in the memory of a Host for a path that does not exist."""


_GONE = Vanished()


class Host:
    """One machine, read at most once a path.

    `thorough` decides the attributes that cost more system calls for each PCI function (see `host.pci`): True reads them,
    False does not, None reads them on machines of ordinary size. `left`: what the hosts of one root leave each other, for
    `Reader.kept`. `redacted`: read everything as others may see it (docs/adr/0005).
    """

    def __init__(
        self,
        root: str = "/",
        *,
        thorough: bool | None = None,
        tree: LiveTree | None = None,
        left: Left | None = None,
        redacted: bool = False,
    ) -> None:
        self.root = root
        self.left = left
        self.live = root == "/"
        self.thorough = thorough
        self.tree = opened(root, LiveTree if self.live else BoundTree) if tree is None else tree
        if redacted:
            from hostagent.host.redacted_tree import RedactedTree

            self.tree = RedactedTree(self.tree)
        self.memory: dict[tuple[str, str], object] = {}
        self.shared: dict[object, object] = {}
        self._faults: list[Problem] = []  # of the capture itself: for whoever reads first
        self.facts: set[str] = set()  # paths of recorded facts, collected here and not read from a file
        if not self.live:
            self._restore_errors()

    def _restore_errors(self) -> None:
        """What could not be read when a capture was made cannot be read from it either."""
        text = fault = self._ask("read", MANIFEST)
        if isinstance(text, bytes):
            from hostagent.host.manifest import errors

            found, fault = errors(text)
            self.memory |= found
        self._faults += [fault] if isinstance(fault, Problem) else []

    def is_this_machine(self) -> bool:
        """Whether the root shows the running machine: `/`, or what a container sees it as. Of a capture it is never true.

        Each boot has an ID, which no capture holds: it is asked past the tree's memory.
        """
        if self.live:
            return True
        try:
            theirs = self.tree.aside(BOOT_ID)
            return bool(theirs) and theirs == content_of(f"/{BOOT_ID}", LIMIT)
        except (OSError, TooLargeError):
            return False

    def close(self) -> None:
        """Give the directory descriptor back."""
        self.tree.close()

    def reader(self) -> Reader:
        """A view of this host that collects its own problems."""
        reader = Reader(self)
        reader.problems += self._faults
        self._faults = []
        return reader

    def ask(self, operation: str, path: str) -> object:
        """The remembered answer of one tree operation: its value, a Problem, or Vanished."""
        key = (operation, path)
        answer = self.memory.get(key)
        if answer is None:
            answer = self._ask(operation, path)
            self.memory[key] = answer
        return answer

    def _ask(self, operation: str, path: str) -> object:
        if "\0" in path:
            # Part of the path was read from a file that holds none (a release, a backing file): nothing is called that.
            return _GONE
        try:
            return getattr(self.tree, operation)(path)
        except NotRegularError as error:
            odd = Problem(path=path, kind=NOT_REGULAR, detail=str(error.strerror))
            return _GONE if self._is_masked(path) else odd
        except OSError as error:
            if error.errno in ABSENT:
                return _GONE
            name = errno.errorcode.get(error.errno or 0, str(error.errno))
            return Problem(path=path, kind=UNREADABLE, detail=f"{name}: {os.strerror(error.errno or 0)}")
        except TooLargeError:
            return Problem(path=path, kind=TOO_LARGE, detail=f"more than {LIMIT} bytes")

    def _is_masked(self, path: str) -> bool:
        """Whether it is a link to /dev/null, with which units, rules and modprobe.d files are switched off (systemctl mask)."""
        try:
            return self.tree.link(path).lstrip("./") == "dev/null"
        except OSError:
            return False


def opened(root: str, kind: type[Tree]) -> Tree | LiveTree:
    """The tree at `root`, or in the capture it is. Raises RootError where that is no machine."""
    try:
        tree = kind(root)
    except NotADirectoryError:
        return _archive(root)
    except (OSError, ValueError) as error:
        said = error.strerror if isinstance(error, OSError) else str(error)
        raise RootError(f"{root}: {said}; expected a directory that holds sys or proc") from error
    try:
        found = {"sys", "proc"} & set(tree.names("."))
    except OSError as error:
        tree.close()
        raise RootError(f"{root}: {error.strerror}; expected a directory that holds sys or proc") from error
    if not found:
        tree.close()
        raise RootError(f"{root}: holds neither sys nor proc; expected the root of a machine")
    return tree


def _archive(path: str) -> LiveTree:
    from hostagent.host.archive import ArchiveTree
    from hostagent.host.tar import ArchiveError

    try:
        return ArchiveTree(path)
    except NotRegularError as error:
        raise RootError(f"{path}: expected a directory or a capture.tar.gz") from error
    except OSError as error:
        raise RootError(f"{path}: {error.strerror}; expected a directory or a capture.tar.gz") from error
    except ArchiveError as error:
        raise RootError(f"{path}: {error}") from error


class Reader:
    """The operations of an area on the machine. Paths are relative to the root, without a leading slash."""

    def __init__(self, host: Host) -> None:
        self.host = host
        self.problems: list[Problem] = []
        self._reported: set[Problem] = set()

    def _ask(self, operation: str, path: str, tolerate: tuple[int, ...] = ()) -> object:
        answer = self.host.memory.get((operation, path)) or self.host.ask(operation, path)
        if answer is _GONE:
            return None
        if type(answer) is Problem:
            if not any(answer.detail.startswith(errno.errorcode[number] + ":") for number in tolerate):
                self._report(answer)
            return None
        return answer

    def _report(self, problem: Problem) -> None:
        if problem not in self._reported:
            self._reported.add(problem)
            self.problems.append(problem)

    def raw(self, path: str, *, tolerate: tuple[int, ...] = ()) -> bytes | None:
        """The bytes of a file; None if absent or unreadable. Errnos to `tolerate` are absence here (a NIC that is down)."""
        return self._ask("read", path, tolerate)  # type: ignore[return-value]

    def text(self, path: str, *, tolerate: tuple[int, ...] = ()) -> str | None:
        """The text of a file without surrounding blanks and NULs; bytes that are not UTF-8 become U+FFFD."""
        data = self.raw(path, tolerate=tolerate)
        return None if data is None else data.decode("utf-8", "replace").strip(BLANKS)

    def lines(self, path: str) -> tuple[str, ...]:
        """The lines of a file that are not blank; none if absent. Only newlines end a line: names may hold any other letter."""
        text = self.text(path)
        return tuple(line for line in text.split("\n") if line.strip(BLANKS)) if text else ()

    def parsed(self, path: str, parse: Callable[[str], T | None], expected: str) -> T | None:
        """A file's text through `parse`; None, and a Problem, where it says None."""
        text = self.text(path)
        if text is None:
            return None
        value = parse(text)
        if value is None:
            self.malformed(path, expected, text)
        return value

    def integer(self, path: str, *, negative: bool = False) -> int | None:
        """A file that holds one whole number; below zero only where that has a meaning."""
        return self.parsed(
            path,
            lambda text: None if (number := whole(text)) is None or (number < 0 and not negative) else number,
            "a whole number",
        )

    def flag(self, path: str) -> bool | None:
        """A file that holds a kernel boolean: Y or N, 1 or 0."""
        return self.parsed(path, FLAGS.get, "Y, N, 1 or 0")

    def names(self, path: str) -> tuple[str, ...]:
        """The names in a directory, sorted; none if absent."""
        found: Iterable[str] | None = self._ask("names", path)  # type: ignore[assignment]
        # git keeps no empty directories: fixtures hold them open with this name.
        return tuple(sorted(name for name in found or () if name != ".gitkeep"))

    def link(self, path: str) -> str | None:
        """The target text of a link, never followed; None if absent or not a link."""
        return self._ask("link", path, (errno.EINVAL,))  # type: ignore[return-value]

    def target(self, path: str) -> str | None:
        """The last component of a link's target: right even where the target does not exist."""
        link = self.link(path)
        return None if link is None else link.rstrip("/").rpartition("/")[2] or None

    def exists(self, path: str) -> bool:
        """Whether something is there; a link counts, wherever it leads."""
        return self._ask("status", path) is not None

    def resolve(self, path: str) -> str | None:
        """Where `path` really is, relative to the root, links resolved inside the root; None where that fails."""
        return self._ask("resolve", path)  # type: ignore[return-value]

    def malformed(self, path: str, expected: str, seen: str) -> None:
        """Report text that is not what its documentation says."""
        shown = seen if len(seen) <= 60 else seen[:57] + "..."
        self._report(Problem(path=path, kind=MALFORMED, detail=f"expected {expected}, saw {shown!r}"))

    def too_large(self, path: str, limit: str) -> None:
        """Report what is more than `hostagent.host.limits` allows; the rest of it is not known."""
        self._report(Problem(path=path, kind=TOO_LARGE, detail=f"more than {limit}"))

    def once(self, look: Callable[[Reader], T]) -> T:
        """The result of `look`, computed for the first area that asks; its problems are that area's."""
        shared = self.host.shared
        if look not in shared:
            shared[look] = look(self)
        return shared[look]  # type: ignore[return-value]

    def kept(self, path: str) -> dict[Any, Any]:
        """What earlier surveys worked out from a file that has not changed since, to be added to; empty for a first survey."""
        left = self.host.left
        stamp = None if left is None else self.host.ask("stamp", path)
        if left is None or type(stamp) is not tuple:
            return {}
        if path not in left or left[path][0] != stamp:
            left[path] = stamp, {}
        return left[path][1]

    def recorded(self, path: str, collect: Callable[[], str], *, anywhere: bool = False) -> str | None:
        """A fact no file holds (netlink, processes): collected on the live machine, read from `path` in any other root.

        `anywhere`: collected as well where another root shows the running machine; not for what depends on whose /proc it is.
        """
        host = self.host
        if (host.is_this_machine() if anywhere else host.live) and ("read", path) not in host.memory:
            host.memory[("read", path)] = host.tree.presented(path, collect().encode())
            host.facts.add(path)
        return self.text(path)
