"""One look at a machine: what hostagent says, and what witnesses that share no code with it say."""

from __future__ import annotations

import functools
from typing import Any

from tests.lab.boot import Guest

Json = dict[str, Any]


def _undated(found: Json) -> Json:
    """Without `about`, in which two looks differ, and which a capture has not."""
    assert found.pop("about")["boot"]
    return found


class Look:
    """Everything said about one machine, each asked for once, when first needed."""

    def __init__(self, guest: Guest) -> None:
        self.guest = guest

    @functools.cached_property
    def report(self) -> Json:
        """`hostagent probe` as root: on a healthy machine nothing is unreadable, hence exit status 0."""
        return _undated(self.guest.hostagent("probe", "-o", "json").json())

    @functools.cached_property
    def nobody(self) -> Json:
        """The same without any privilege. 3: something could not be read."""
        return _undated(self.guest.hostagent("probe", "-o", "json", nobody=True, statuses=(0, 3)).json())

    @functools.cached_property
    def capture(self) -> bytes:
        self.guest.hostagent("capture", "/tmp/capture.tar.gz")
        return self.guest.read("/tmp/capture.tar.gz")

    @functools.cached_property
    def attributes(self) -> str:
        """`address/file<tab>value` of the files lspci reads and we do not, for fixtures that lspci is to read too."""
        names = "vendor device class subsystem_vendor subsystem_device irq resource"
        one = "[ -e $d/$f ] && printf '%s/%s\\t%s\\n' $d $f \"$(tr '\\n' ';' <$d/$f)\""
        loop = f"for d in *; do for f in {names}; do {one}; done; done; true"
        return self.guest.sh(f"cd /sys/bus/pci/devices; {loop}")

    @functools.cached_property
    def lspci(self) -> list[dict[str, str]]:
        """Records of lspci's machine form."""
        text = self.guest.sh("lspci -Dvmmnnk")
        records = [block.splitlines() for block in text.strip().split("\n\n")]
        return [dict(line.split(":\t", 1) for line in record) for record in records]

    @functools.cached_property
    def lscpu(self) -> dict[str, str]:
        """Field to value, nested fields flattened."""
        found: dict[str, str] = {}

        def walk(entries: list[Json]) -> None:
            for entry in entries:
                found[entry["field"].rstrip(":")] = entry["data"]
                walk(entry.get("children", []))

        walk(self.guest.run("lscpu", "-J").json()["lscpu"])
        return found

    @functools.cached_property
    def meminfo(self) -> dict[str, int]:
        """/proc/meminfo: name to its number."""
        lines = (line.split() for line in self.guest.sh("cat /proc/meminfo").splitlines())
        return {words[0].rstrip(":"): int(words[1]) for words in lines}

    @functools.cached_property
    def groups(self) -> dict[int, tuple[str, ...]]:
        """IOMMU groups as a shell sees them."""
        found: dict[int, list[str]] = {}
        for line in self.guest.sh("find /sys/kernel/iommu_groups -path '*/devices/*' -type l").splitlines():
            words = line.split("/")
            found.setdefault(int(words[4]), []).append(words[6])
        return {number: tuple(sorted(members)) for number, members in sorted(found.items())}

    def area(self, name: str) -> Any:
        """The data of one area of the report."""
        probed = self.report[name]
        assert probed["problems"] == [], f"{name}: {probed['problems']}"
        assert probed["data"] is not None, name
        return probed["data"]

    def function(self, address: str) -> Json:
        """One PCI function of the report."""
        (found,) = [item for item in self.area("pci")["functions"] if item["address"] == address]
        return dict(found)

    def again(self) -> Look:
        """A new look at the same machine."""
        return Look(self.guest)
