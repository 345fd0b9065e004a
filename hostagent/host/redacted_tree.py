"""A tree as others may see it: what is read, listed and linked, with pseudonyms for what is private (`hostagent.host.redact`).

Names of files are translated both ways, since what was listed under a pseudonym is asked for under it:

    sys/class/net/enxmac1/operstate            of enx001122334455
    sys/fs/btrfs/[redacted-1]/devices          one per file system, by its UUID
    proc/spl/kstat/zfs/[redacted-2]/state      one per pool
    etc/systemd/system/[redacted-3].service    a unit that nothing asks about
    home/[redacted-4]/swapfile                 any path of the root that a file named

Facts about PCI functions name nobody: their short cuts lead straight to the tree below.
"""

from __future__ import annotations

from hostagent.host.problem import MANIFEST
from hostagent.host.redact import redacted, shown_link
from hostagent.host.redact_names import Pseudonyms
from hostagent.host.tree import LiveTree

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from hostagent.host.tree import Place

_LINKS = "sys/class/net"
# Directories whose entries are file systems, pools, and arrays.
_NAMED = ("sys/fs/btrfs/", "sys/fs/bcachefs/", "sys/fs/ext4/", "sys/fs/xfs/", "sys/fs/f2fs/", "proc/spl/kstat/zfs/")
# Directories of which few entries are asked for by their names; the others name what people run.
_UNITS = ("etc/systemd/system/", "run/systemd/system/", "usr/lib/systemd/system/", "lib/systemd/system/",
          "usr/local/lib/systemd/system/", "run/systemd/generator/",
          "etc/systemd/system.control/", "etc/systemd/system.attached/")  # fmt: skip
_RULES, _DRIVERCTL = "etc/udev/rules.d/", "etc/driverctl.d/"
# Directories of configuration, whose files are evidence by their names.
_OURS = ("etc/", "usr/", "lib/", "run/", "var/lib/kubelet/device-plugins/")
_TOP = frozenset((MANIFEST, "holders.json", "netlink", "."))


class RedactedTree(LiveTree):
    """A view of another tree. One for each survey: pseudonyms are its own."""

    def __init__(self, tree: LiveTree) -> None:
        self.root = tree.root
        self.tree = tree
        self._fd = -1  # nothing is open but what is below
        try:
            links = tree.names(_LINKS)
        except OSError:
            links = []
        self.pseudonyms = Pseudonyms(links)

    def close(self) -> None:
        """Give the descriptors of the tree below back."""
        self.tree.close()

    # --- names ---

    def outside(self, path: str) -> str:
        """A real path as it is shown."""
        head, slash, last = path.rpartition("/")
        return f"{self.outside(head)}/{self.entry(f'{head}/', last)}" if slash else self.entry("", last)

    def entry(self, directory: str, name: str) -> str:
        """One entry of a real directory (with its slash) as it is shown."""
        names = self.pseudonyms
        if directory.startswith("sys/"):
            shown = names.hidden(name) if directory in _NAMED and name not in _KERNELS else shown_link(name, names)
            return names.block(shown)
        if directory.startswith("proc/"):
            return names.component(name) if directory in _NAMED and name not in _KERNELS else name
        if directory.startswith((*_UNITS, _RULES, _DRIVERCTL)):
            return self._file(directory, name)
        if directory.startswith(_OURS) or (not directory and name in _TOP):
            return name
        return names.component(name)

    def _file(self, directory: str, name: str) -> str:
        from hostagent.host.overrides import is_asked

        return name if is_asked(directory, name) else self.pseudonyms.file(name)

    def inside(self, path: str) -> str:
        """A shown path as it really is."""
        names = self.pseudonyms
        if "[redacted-" not in path and not names.links:
            return path
        return "/".join([self._component(part) for part in path.split("/")])

    def _component(self, part: str) -> str:
        if part.startswith(("lower_", "upper_")):
            return part[:6] + self.pseudonyms.real(part[6:])
        real = self.pseudonyms.real(part)
        begin = part.find("[redacted-")
        if real != part or begin < 1:
            return real
        # A WWID in the name of udev's link: `scsi-[redacted-1]`.
        return part[:begin] + self.pseudonyms.real(part[begin:])

    def target(self, path: str, target: str) -> str:
        """The target of the link at a real path, as it is shown."""
        if path.startswith("proc/"):
            return self.pseudonyms.path(target)
        at = path.rpartition("/")[0]
        names = self.pseudonyms
        if path.startswith("sys/"):
            return "/".join([names.block(shown_link(part, names)) for part in target.split("/")])
        if path.startswith("dev/"):
            return names.path(target)
        head, slash, last = target.rpartition("/")
        return f"{head}{slash}{self.entry(f'{at}/', last)}" if at.startswith(_UNITS_AT) else target

    # --- operations ---

    def presented(self, path: str, data: bytes) -> bytes:
        return redacted(path, data, self.pseudonyms)

    def read(self, path: str) -> bytes:
        return self.presented(path, self.tree.read(self.inside(path)))

    def names(self, path: str) -> list[str]:
        real = self.inside(path)
        found = self.tree.names(real)
        base = "" if real in ("", ".") else f"{real}/"
        return [self.entry(base, name) for name in sorted(found)]

    def link(self, path: str) -> str:
        real = self.inside(path)
        return self.target(real, self.tree.link(real))

    def status(self, path: str) -> object:
        return self.tree.status(self.inside(path))

    def resolve(self, path: str) -> str:
        return self.outside(self.tree.resolve(self.inside(path)))

    def aside(self, path: str) -> bytes:
        return self.tree.aside(path)

    def stamp(self, path: str) -> tuple[int, ...]:
        return self.tree.stamp(self.inside(path))

    # --- PCI functions ---

    def places(self, directory: str, names: Iterable[str]) -> Iterator[Place | None]:
        return self.tree.places(directory, names)

    def attribute(self, place: Place, name: str, limit: int) -> bytes:
        return self.tree.attribute(place, name, limit)

    def attribute_link(self, place: Place, name: str) -> str | None:
        return self.tree.attribute_link(place, name)

    def attribute_exists(self, place: Place, name: str) -> bool:
        return self.tree.attribute_exists(place, name)


_UNITS_AT = tuple(place.rstrip("/") for place in _UNITS)
# What the kernel puts beside file systems in their directories.
_KERNELS = frozenset(("features", "dbgmsg", "arcstats", "fm", "dmu_tx", "abdstats", "zil", "vdev_cache_stats",
                      "xuio_stats", "chksum_bench",
                      "fletcher_4_bench", "vdev_raidz_bench", "zfetchstats", "dnodestats", "dbufstats", "dbufs",
                      "import_progress",
                      "qat", "ssz_histo", "zstd", "brt", "stats", "debug"))  # fmt: skip
