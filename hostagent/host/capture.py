"""A capture: exactly what a survey read, as a tar.gz that is itself a root.

There is no list of files to keep in step with the probes. A `RecordingTree` remembers every operation on the tree; what it
remembers is written out, redacted. A survey of the archive equals the survey of the machine (law L1), its failures too:
what could not be read is listed in `hostagent-capture.json` with the errno it failed with.
"""

from __future__ import annotations

import posixpath

from hostagent.host.kept_tree import KeptTree
from hostagent.host.problem import MANIFEST, Problem
from hostagent.host.reader import Host, RootError, opened
from hostagent.host.redacted_tree import RedactedTree
from hostagent.values.blanks import lines

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

CAPTURE_VERSION = 1
_PCI_IDS = "pci.ids"


class RecordingTree(KeptTree):
    """A tree that remembers what was asked of it, by real path."""

    def __init__(self, root: str) -> None:
        super().__init__(root)
        self.files: dict[str, bytes] = {}
        self.asked: dict[str, set[str]] = {}  # real path -> the paths by which it was asked for
        self.directories: dict[str, tuple[str, ...]] = {}
        self.links: dict[str, str] = {}
        self.present: set[str] = set()

    def _target(self, path: str) -> str:
        target = super()._target(path)
        self.links[path] = target
        return target

    def read(self, path: str) -> bytes:
        data = super().read(path)
        real = self._walk(path)
        self.files[real] = data
        self.asked.setdefault(real, set()).add(path)
        return data

    def names(self, path: str) -> list[str]:
        found = super().names(path)
        real = self._walk(path)
        self.directories[real] = tuple(found)
        self.asked.setdefault(real, set()).add(path)
        return found

    def link(self, path: str) -> str:
        target = super().link(path)
        self.links[self._beside(path)] = target
        return target

    def status(self, path: str) -> object:
        found = super().status(path)
        self.present.add(self._beside(path))
        return found


def recording(root: str) -> Host:
    """A host that remembers what is read of it, every attribute included, and shows it as others may see it.

    Raises RootError; a capture is not captured again.
    """
    tree = opened(root, RecordingTree)
    if not isinstance(tree, RecordingTree):
        raise RootError(f"{root}: expected a directory that holds sys or proc, saw a capture")
    return Host(root, thorough=True, tree=tree, redacted=True)


def archive(host: Host) -> bytes:
    """The capture of what was read of a `recording` host so far: gzip-compressed tar, the same bytes for the same facts."""
    import gzip
    import io
    import tarfile

    assert isinstance(host.tree, RedactedTree)
    packed = io.BytesIO()
    # mtime 0 here and in every member: equal machines give equal captures.
    with gzip.GzipFile(fileobj=packed, mode="wb", mtime=0) as stream, tarfile.open(fileobj=stream, mode="w|") as tar:
        for name, kind, content in _entries(host, host.tree):
            member = tarfile.TarInfo(name)
            member.type = kind
            member.mode = 0o755 if kind == tarfile.DIRTYPE else 0o644
            if kind == tarfile.SYMTYPE:
                member.linkname = content.decode("utf-8", "surrogateescape")
                tar.addfile(member)
            else:
                member.size = len(content)
                tar.addfile(member, io.BytesIO(content))
    return packed.getvalue()


def _entries(host: Host, view: RedactedTree) -> Iterator[tuple[str, bytes, bytes]]:
    """(name, tar type, content) of every member, parents first."""
    from tarfile import DIRTYPE, REGTYPE, SYMTYPE

    tree = view.tree
    assert isinstance(tree, RecordingTree)
    shown = _Shown(host, view)
    files = {shown(path): _redacted(view, tree, path) for path in tree.files}
    files |= {path: _fact(host, path) for path in host.facts}
    for path in [path for path in files if path.rpartition("/")[2] == _PCI_IDS]:
        files[path] = _trimmed(files[path], host)
    links = {shown(path): shown.target(path, target) for path, target in tree.links.items() if path not in tree.files}
    present = {shown(path) for path in tree.present}
    listings = {shown(path) if path else "": names for path, names in tree.directories.items()}
    directories = _directories(listings.keys(), present, files, links)
    # What was only listed, or only seen to be there, is there: empty.
    listed = {shown(posixpath.join(at, name)) for at, names in tree.directories.items() for name in names} | present
    listed -= files.keys() | links.keys() | directories
    files[MANIFEST] = _manifest(host)
    yield from ((path, DIRTYPE, b"") for path in sorted(directories))
    yield from ((path, REGTYPE, files.get(path, b"")) for path in sorted(files.keys() | listed))
    yield from ((path, SYMTYPE, links[path].encode("utf-8", "surrogateescape")) for path in sorted(links))


class _Shown:
    """Real paths as they are shown: under the name they were asked for, else under the one they would be listed by."""

    def __init__(self, host: Host, view: RedactedTree) -> None:
        self._view = view
        self._known: dict[str, str] = {"": "", ".": "."}
        assert isinstance(view.tree, RecordingTree)
        # What is behind a link is listed, and called, as it would be where it was asked for.
        self._asked = {real: min(asked) for real, asked in view.tree.asked.items() if real not in asked}
        for _, path in host.memory:
            real = view.inside(path)
            while real and real not in self._known and real.count("/") == path.count("/"):
                self._known[real] = path
                real, path = real.rpartition("/")[0], path.rpartition("/")[0]  # noqa: PLW2901 - both go up together

    def __call__(self, path: str) -> str:
        known = self._known.get(path)
        if known is None:
            head, _, last = path.rpartition("/")
            asked = self._asked.get(path, "")
            if asked.rpartition("/")[2] == last:
                entry = self(asked).rpartition("/")[2]
            else:
                directory = self._asked.get(head, head)
                entry = self._view.entry(f"{directory}/" if directory else "", last)
            known = self._known[path] = f"{self(head)}/{entry}" if head else entry
        return known

    def target(self, path: str, target: str) -> str:
        """What a link says, made to read from inside the root; where that leads elsewhere now, another way to the place."""
        place, text = self(path), _inside(path, target)
        told = _inside(place, self._view.target(path, target))
        real = posixpath.normpath(posixpath.join("/", posixpath.dirname(path), text)).lstrip("/")
        reached = posixpath.normpath(posixpath.join("/", posixpath.dirname(place), told)).lstrip("/")
        if real == path or reached == self(real):
            return told
        return posixpath.relpath("/" + self(real), posixpath.join("/", posixpath.dirname(place)))


def _redacted(view: RedactedTree, tree: RecordingTree, path: str) -> bytes:
    """What a file holds is told by the name it was asked for: kubelet.conf may be a link to anything."""
    data = tree.files[path]
    for name in sorted({path, *tree.asked.get(path, ())}):
        data = view.presented(name, data)
    return data


def _fact(host: Host, path: str) -> bytes:
    """A recorded fact that no file holds."""
    answer = host.memory[("read", path)]
    assert isinstance(answer, bytes)
    return answer


def _directories(listed: Iterable[str], present: set[str], files: dict[str, bytes], links: dict[str, str]) -> set[str]:
    found = {path for path in listed if path}
    for path in (*files, *links, *present, *found):
        parent = path.rpartition("/")[0]
        while parent:
            found.add(parent)
            parent = parent.rpartition("/")[0]
    return (found | {"sys"}) - links.keys() - files.keys()


def _inside(path: str, target: str) -> str:
    """A link target as it reads from inside the root: relative, and never climbing above it."""
    at = posixpath.dirname(path)
    real = (
        posixpath.normpath(posixpath.join("/", at, target))
        if not target.startswith("/")
        else posixpath.normpath(target)
    )
    return posixpath.relpath(real, posixpath.join("/", at)) if target.startswith(("/", "..")) else target


def _trimmed(book: bytes, host: Host) -> bytes:
    """The entries of a pci.ids that this machine has: 1.4 MB of everybody else's hardware stays behind."""
    from hostagent.host.pci import functions

    wanted: dict[str, set[str]] = {}
    for function in functions(host.reader()):
        wanted.setdefault(function.vendor_id, set()).add(function.device_id)
        wanted.setdefault(f"C {function.class_id[:2]}", set()).add(function.class_id[2:4])
    kept: list[str] = []
    below: set[str] = set()
    for text in lines(book.decode("utf-8", "surrogateescape")):
        line = f"{text}\n"
        if not line.startswith(("\t", "#", "\n")):
            below = wanted.get(line.partition("  ")[0], set())
            kept += [line] if below else []
        elif line[1:].partition("  ")[0] in below:
            kept.append(line)
    return "".join(kept).encode("utf-8", "surrogateescape")


def _manifest(host: Host) -> bytes:
    import json

    errors = [
        {"operation": operation, "path": path, "kind": answer.kind, "detail": answer.detail}
        for (operation, path), answer in sorted(host.memory.items(), key=lambda item: item[0])
        if isinstance(answer, Problem)
    ]
    manifest = {"capture_version": CAPTURE_VERSION, "redacted": True, "errors": errors}
    return (json.dumps(manifest, indent=1) + "\n").encode()
