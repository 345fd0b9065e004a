"""What a boot makes of a machine's files, as far as findings can tell: the kernel, kmod and systemd, in memory.

Nothing of hostagent decides here what is bound: vfio-pci's ids and softdeps, units and kernel arguments are read from the files
with a few words of their own.
"""

from __future__ import annotations

from hostagent.plan import Plan
from hostagent.render.files import File
from hostagent.render.kargs import plain
from hostagent.render.targets import UNITS_DIRECTORY, Wishes, enabled_units, rendered
from tests.plan.machines import Machine

_DEVICES = "sys/devices/pci0000:00"
_NOTHING = Wishes(split=False, namespace=None, resource=None, owned=frozenset())


def put(machine: Machine, plan: Plan, *targets: str) -> Machine:
    """A copy of the machine with what the targets render, units enabled as `systemctl enable` does."""
    after = copied(machine)
    for target in targets:
        if target == "kargs":
            kept = [word for word in after.files["proc/cmdline"].split() if word not in plan.remove_arguments]
            asked = plain(tuple(word for one in plan.kernel_arguments for word in one.words)).split()
            missing = asked if any(word not in kept for word in asked) else []
            kept = [word for word in kept if word not in missing or word.startswith("hugepages=")]
            after.files["proc/cmdline"] = " ".join([*kept, *missing]) + "\n"
            continue
        files: tuple[File, ...] = rendered(plan, (target,), _NOTHING)
        for file in files:
            after.files[file.path.lstrip("/")] = file.text
            name = file.path.rpartition("/")[2]
            if file.path.startswith(UNITS_DIRECTORY) and name in enabled_units(plan):
                wanted = file.text.partition("WantedBy=")[2].split()[0]
                after.links[f"etc/systemd/system/{wanted}.wants/{name}"] = f"../{name}"
    return after


def copied(machine: Machine) -> Machine:
    after = Machine()
    after.files, after.links = dict(machine.files), dict(machine.links)
    return after


def booted(machine: Machine) -> Machine:
    """The machine after its next boot."""
    after = copied(machine)
    line = after.files["proc/cmdline"].split()
    _iommu(after, line)
    _bindings(after, line)
    _pools(after, line)
    _nested(after, line)
    _watchdog(after)
    return after


def _configuration(machine: Machine, directory: str) -> list[list[str]]:
    texts = (text for path, text in sorted(machine.files.items()) if path.startswith(f"etc/{directory}/"))
    return [line.split() for text in texts for line in text.splitlines() if line and not line.startswith("#")]


def _iommu(machine: Machine, line: list[str]) -> None:
    if "sys/firmware/acpi/tables/DMAR" in machine.files and "intel_iommu=on" in line and "intel_iommu=off" not in line:
        machine.files["sys/class/iommu/dmar0/intel-iommu/cap"] = "0\n"
        for number, path in enumerate([path for path in machine.links if path.startswith("sys/bus/pci/devices/")]):
            link = f"{_DEVICES}/{path.rpartition('/')[2]}/iommu_group"
            machine.links.setdefault(link, f"../../../kernel/iommu_groups/{100 + number}")


def _bindings(machine: Machine, line: list[str]) -> None:
    directives = _configuration(machine, "modprobe.d")
    loaded = _configuration(machine, "modules-load.d")
    built_in = "vfio-pci.ko" in machine.files["lib/modules/6.12.0/modules.builtin"]
    given = [] if built_in else [word for words in directives if words[:2] == ["options", "vfio-pci"] for word in words]
    given += [word.removeprefix("vfio-pci.") for word in line if word.startswith("vfio-pci.ids=")]
    ids = next((word.removeprefix("ids=").split(",") for word in reversed(given) if word.startswith("ids=")), [])
    softdeps = {words[1].replace("-", "_") for words in directives if words[0] == "softdep"}
    units = [
        machine.files[f"etc/systemd/system/{path.rpartition('/')[2]}"] for path in machine.links if ".wants/" in path
    ]
    for path in [path for path in machine.files if path.startswith(_DEVICES) and path.endswith("/uevent")]:
        address = path.split("/")[3]
        said = dict(one.split("=", 1) for one in machine.files[path].splitlines())
        mine = (said.get("PCI_ID", "").lower(), f"{said.get('PCI_ID', '')}:{said.get('PCI_SUBSYS_ID', '')}".lower())
        driver = said.get("DRIVER", "").replace("-", "_")
        by_id = any(one in ids for one in mine) and (not driver or built_in or driver in softdeps or _late(driver))
        if (by_id and (built_in or ["vfio-pci"] in loaded)) or any(f"/{address}" in unit for unit in units):
            machine.files[path] = "".join(f"{key}={value}\n" for key, value in (said | {"DRIVER": "vfio-pci"}).items())
            machine.links[f"{_DEVICES}/{address}/driver"] = "../../../bus/pci/drivers/vfio-pci"
            if not built_in:
                machine.files["proc/modules"] = machine.files.get("proc/modules", "") + "vfio_pci 1 0 - Live 0x0\n"


def _late(driver: str) -> bool:
    return driver in ("vfio_pci", "xhci_hcd", "nvidia_gpu")  # their modules have other names, and have softdeps


def _pools(machine: Machine, line: list[str]) -> None:
    size = 2048
    for word in line:
        name, _, value = word.partition("=")
        if name == "hugepagesz":
            size = {"2M": 2048, "1G": 1 << 20}[value]
        elif name == "hugepages":
            for part in value.split(","):
                node, colon, pages = part.rpartition(":")
                where = f"sys/devices/system/node/node{node}/hugepages" if colon else "sys/kernel/mm/hugepages"
                machine.files[f"{where}/hugepages-{size}kB/nr_hugepages"] = f"{pages}\n"
                machine.files.setdefault(f"sys/kernel/mm/hugepages/hugepages-{size}kB/nr_hugepages", "0\n")
    for path in [path for path in machine.links if ".wants/hostagent-hugepages" in path]:
        text = machine.files[f"etc/systemd/system/{path.rpartition('/')[2]}"]
        target = text.partition("ConditionPathExists=/")[2].split()[0]
        machine.files[target] = text.partition("do echo ")[2].split()[0] + "\n"


def _nested(machine: Machine, line: list[str]) -> None:
    words = [
        word
        for words in _configuration(machine, "modprobe.d")
        if words[:2] == ["options", "kvm_intel"]
        for word in words
    ]
    words += [word.removeprefix("kvm_intel.") for word in line]
    for word in words:
        if word.startswith("nested="):
            machine.files["sys/module/kvm_intel/parameters/nested"] = "Y\n" if word == "nested=1" else "N\n"


def _watchdog(machine: Machine) -> None:
    for words in _configuration(machine, "systemd/system.conf.d"):
        path = "sys/class/watchdog/watchdog0/state"
        if words[0].startswith("RuntimeWatchdogSec=") and path in machine.files:
            machine.files[path] = "active\n"
