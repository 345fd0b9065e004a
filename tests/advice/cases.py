"""A machine for every code, and everything that is to be said of it: (severity, code, subject), the gravest first."""

from __future__ import annotations

from collections.abc import Callable

from hostagent.advice import Finding, advise
from hostagent.plan import plan
from hostagent.values.record import record, replaced
from tests.advice.hosts import LOADED, RESET, Told, host, of, of_many, vfio
from tests.plan.machines import NIC, NIC_CLASS, NVME, NVME_CLASS, T4, T4_CLASS, Machine
from tests.plan.profiles import DEBIAN, devices, profile

B, W, N = "BLOCKER", "WARNING", "NOTE"
ON = "quiet intel_iommu=on\n"
_POOL = "sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages"
CARD, OTHER = "0000:04:00.0", "0000:05:00.0"
PERMIT = f"id: '{T4}', resourceName: nvidia.com/T4"


@record
class Case:
    name: str
    findings: Callable[[], tuple[Finding, ...]]
    expected: Told


CASES: list[Case] = []


def case(name: str, *expected: tuple[str, str, str]) -> Callable[[Callable[[], tuple[Finding, ...]]], None]:
    def add(make: Callable[[], tuple[Finding, ...]]) -> None:
        CASES.append(Case(name=name, findings=make, expected=list(expected)))

    return add


def card(machine: Machine | None = None, driver: str | None = "vfio-pci", **attributes: str) -> Machine:
    """A host with a T4 in a group of its own, booted with intel_iommu=on."""
    machine = machine or host()
    machine.put({"proc/cmdline": ON})
    return machine.function(CARD, T4, T4_CLASS, driver=driver, group=13, **(RESET | attributes))


def ready() -> Machine:
    """The same, with the configuration that bound it."""
    return card().put({**vfio(T4, "nouveau"), "proc/modules": LOADED})


def off(**files: str) -> Machine:
    return host().without("sys/class/iommu").put({path.replace("__", "/"): text for path, text in files.items()})


@case("nothing to say")
def _() -> tuple[Finding, ...]:
    return of(host())


@case("a device that is ready")
def _() -> tuple[Finding, ...]:
    return of(ready())


@case("a device that is ready, and asked for")
def _() -> tuple[Finding, ...]:
    return of(ready(), devices(PERMIT))


# The IOMMU


@case("off in firmware", (B, "iommu-off-in-firmware", "iommu"))
def _() -> tuple[Finding, ...]:
    return of(off(sys__firmware__acpi__tables__APIC="").without("sys/firmware/acpi/tables/DMAR"))


@case("off by argument", (B, "iommu-off-by-argument", "iommu"))
def _() -> tuple[Finding, ...]:
    return of(off(proc__cmdline="intel_iommu=off\n"))


@case("not enabled", (B, "iommu-not-enabled", "iommu"))
def _() -> tuple[Finding, ...]:
    return of(off())


@case("not started", (B, "iommu-not-started", "iommu"))
def _() -> tuple[Finding, ...]:
    return of(off(proc__cmdline=ON))


@case("a guest without an IOMMU", (B, "iommu-not-in-this-guest", "iommu"))
def _() -> tuple[Finding, ...]:
    flags = {"proc/cpuinfo": "processor\t: 0\nvendor_id\t: GenuineIntel\nflags\t\t: lm pse vmx hypervisor\n\n"}
    return of(off().without("sys/firmware").put(flags))


@case("nothing says why", (W, "iommu-unknown", "iommu"))
def _() -> tuple[Finding, ...]:
    return of(off().without("sys/firmware"))


@case("nothing says why, and devices are asked for", (B, "iommu-unknown", "iommu"), (B, "binding-not-configured", CARD))
def _() -> tuple[Finding, ...]:
    machine = off().without("sys/firmware").function(CARD, T4, T4_CLASS, group=None, **RESET).put({"proc/cmdline": ON})
    return of(machine, devices(PERMIT))


@case("off, and only huge pages asked for", (N, "iommu-not-enabled", "iommu"))
def _() -> tuple[Finding, ...]:
    return of(off(), profile("hugepages: {pools: []}"))


_NO_IR = {"proc/interrupts": " 24:  0  PCI-MSI-0000:04:00.0  0-edge  vfio\n"}


@case("interrupts are not remapped", (W, "no-interrupt-remapping", "iommu"))
def _() -> tuple[Finding, ...]:
    return of(host().put(_NO_IR))


@case("interrupts are not remapped for a device", (B, "no-interrupt-remapping", "iommu"))
def _() -> tuple[Finding, ...]:
    return of(ready().put(_NO_IR))


@case("interrupts are not remapped, and no device asked for", (N, "no-interrupt-remapping", "iommu"))
def _() -> tuple[Finding, ...]:
    return of(host().put(_NO_IR).put({"proc/cmdline": "intremap=off\n"}), profile())


@case("unsafe interrupts", (W, "no-interrupt-remapping", "iommu"), (W, "unsafe-interrupts", "vfio_iommu_type1"))
def _() -> tuple[Finding, ...]:
    return of(ready().put(_NO_IR).put({"sys/module/vfio_iommu_type1/parameters/allow_unsafe_interrupts": "Y\n"}))


@case("no-IOMMU mode", (W, "noiommu-mode", "vfio"))
def _() -> tuple[Finding, ...]:
    return of(host().put({"sys/module/vfio/parameters/enable_unsafe_noiommu_mode": "Y\n"}))


@case("amd_iommu=on", (N, "amd-iommu-on-is-unknown", "iommu"))
def _() -> tuple[Finding, ...]:
    return of(host().put({"proc/cmdline": "amd_iommu=on\n"}))


@case("a device without a group", (B, "no-iommu-group", OTHER))
def _() -> tuple[Finding, ...]:
    return of(ready().function(OTHER, T4, T4_CLASS, driver="vfio-pci", group=None, **RESET))


# vfio-pci


@case("no vfio-pci", (B, "vfio-pci-missing", "vfio-pci"))
def _() -> tuple[Finding, ...]:
    return of(host().put({"lib/modules/6.12.0/modules.dep": "kernel/kvm.ko:\n"}))


@case(
    "nothing loads vfio-pci",
    (B, "configured-not-bound", CARD),
    (B, "vfio-pci-not-loaded-at-boot", "vfio-pci"),
    (W, "reboot-needed", "node"),
)
def _() -> tuple[Finding, ...]:
    return of(card(driver=None).put({"etc/modprobe.d/vfio.conf": f"options vfio-pci ids={T4}\n"}))


@case("vfio-pci was loaded by hand", (W, "vfio-pci-not-loaded-at-boot", "vfio-pci"))
def _() -> tuple[Finding, ...]:
    return of(card().put({"etc/modprobe.d/vfio.conf": f"options vfio-pci ids={T4}\n", "proc/modules": LOADED}))


@case(
    "vfio-pci is built in",
    (B, "ids-not-heard-by-built-in-vfio-pci", "vfio-pci"),
    (W, "bound-until-reboot", CARD),
)
def _() -> tuple[Finding, ...]:
    return of(card().put(vfio(T4)).built_in("vfio-pci"))


@case("two lines of ids", (W, "ids-superseded", "vfio-pci"))
def _() -> tuple[Finding, ...]:
    return of(ready().put({"etc/modprobe.d/a.conf": "options vfio-pci ids=10de:1111\n"}))


@case("two lines of the same ids")
def _() -> tuple[Finding, ...]:
    return of(ready().put({"etc/modprobe.d/a.conf": f"options vfio-pci ids={T4}\n"}))


@case(
    "a device on the denylist",
    (B, "configured-not-bound", OTHER),
    (B, "denylisted-id", OTHER),
    (W, "reboot-needed", "node"),
)
def _() -> tuple[Finding, ...]:
    machine = ready().put(vfio(f"{T4},8086:37c8", "nouveau"))
    return of(machine.function(OTHER, "8086:37c8", "0b4000", group=20, **RESET))


@case("a device on the denylist is asked for", (B, "denylisted-id", OTHER))
def _() -> tuple[Finding, ...]:
    machine = host().function(OTHER, "8086:37c8", "0b4000", group=20, **RESET)
    return of(machine, devices("id: '8086:37c8'"))


@case("no reset", (W, "no-reset-method", CARD))
def _() -> tuple[Finding, ...]:
    return of(card(reset_method="").put({**vfio(T4), "proc/modules": LOADED}))


@case("a variant driver", (N, "kubevirt-ignores-variant-driver", OTHER))
def _() -> tuple[Finding, ...]:
    machine = ready().put(vfio(f"{T4},15b3:101e", "nouveau"))
    return of(machine.function(OTHER, "15b3:101e", "020000", driver="mlx5_vfio_pci", group=14, **RESET))


# What is asked for


@case(
    "the NVMe the machine lives on",
    (B, "protected-device", "0000:03:00.0"),
)
def _() -> tuple[Finding, ...]:
    machine = host().function("0000:03:00.0", NVME, NVME_CLASS, driver="nvme", group=12)
    return of(machine.disk("nvme0n1", "0000:03:00.0", on="/"), devices(f"id: '{NVME}'"))


@case("its companion", (B, "protected-companion", "0000:03:00.1"))
def _() -> tuple[Finding, ...]:
    machine = host().function("0000:03:00.0", NVME, NVME_CLASS, driver="nvme", group=12)
    machine.disk("nvme0n1", "0000:03:00.0", on="/").function("0000:03:00.1", T4, T4_CLASS, group=12)
    return of(machine, devices(PERMIT))


@case("memory is no pool of huge pages", (B, "protected-device", CARD))
def _() -> tuple[Finding, ...]:
    return of(host().function(CARD, "8086:0d93", "050210", group=13), devices("id: '8086:0d93'"))


@case(
    "the IOMMU is off, and the card's other port has the default route",
    (B, "groups-not-known-yet", "0000:04:00.1"),
    (B, "iommu-off-by-argument", "iommu"),
    (B, "kernel-arguments-missing", "intel_iommu=on"),
    (W, "kernel-arguments-contrary", "intel_iommu=off"),
)
def _() -> tuple[Finding, ...]:
    machine = off(proc__cmdline="intel_iommu=off\n", sys__firmware__acpi__tables__DMAR="")
    machine.function(CARD, NIC, NIC_CLASS, driver="e1000e").nic("eno3", CARD, route=True)
    return of(machine.function("0000:04:00.1", T4, T4_CLASS, reset_method="flr bus"), devices(PERMIT))


@case(
    "a report without buses, in which a unit could not tell it from its twin",
    (B, "device-not-told-apart", CARD),
    (B, "identical-devices-partly-wanted", CARD),
)
def _() -> tuple[Finding, ...]:
    report = ready().function(OTHER, T4, T4_CLASS, group=14, **RESET).report()
    assert report.pci is not None
    assert report.pci.data is not None
    old = replaced(report, pci=replaced(report.pci, data=replaced(report.pci.data, buses=None)))
    return advise(old, plan((("a", old),), devices(f"address: '{CARD}'")))


@case("too few", (B, "too-few-devices", "devices[0]"))
def _() -> tuple[Finding, ...]:
    return of(ready(), devices(f"{PERMIT}, count: 2"))


@case("two entries for one device", (B, "profile-conflict", CARD))
def _() -> tuple[Finding, ...]:
    return of(ready(), devices(PERMIT, f"address: '{CARD}', resourceName: a.com/b"))


@case("a unit for another node", (B, "taken-by-a-unit-for-another-node", "0000:02:00.0"))
def _() -> tuple[Finding, ...]:
    def one() -> Machine:
        return (
            host()
            .put({"proc/cmdline": ON})
            .function("0000:02:00.0", NIC, NIC_CLASS, driver="e1000e", group=11, **RESET)
            .nic("eno2", "0000:02:00.0")
        )

    return of_many(devices("address: '0000:02:00.0', nodes: [a]"), "b", one(), one())


@case("a device that is not there", (B, "device-not-found", "devices[0]"))
def _() -> tuple[Finding, ...]:
    return of(host(), devices("id: '1234:5678'"))


def two_nics(driver: str | None = "e1000e") -> Machine:
    machine = host().put({"proc/cmdline": ON})
    machine.function("0000:01:00.0", NIC, NIC_CLASS, driver="e1000e", group=10).nic("eno1", "0000:01:00.0", route=True)
    machine.function("0000:02:00.0", NIC, NIC_CLASS, driver=driver, group=11, **RESET)
    return machine.nic("eno2", "0000:02:00.0") if driver == "e1000e" else machine


ONE_NIC = devices("address: '0000:02:00.0'")


@case(
    "one of two identical NICs",
    (B, "binding-not-configured", "0000:02:00.0"),
    (N, "identical-devices-partly-wanted", "0000:02:00.0"),
)
def _() -> tuple[Finding, ...]:
    return of(two_nics(), ONE_NIC)


@case(
    "ids take both of two identical NICs",
    (B, "configured-not-bound", "0000:02:00.0"),
    (B, "identical-devices-partly-wanted", "0000:02:00.0"),
    (B, "ids-take-protected-device", "0000:01:00.0"),
    (W, "reboot-needed", "node"),
)
def _() -> tuple[Finding, ...]:
    return of(two_nics().put(vfio(NIC, "e1000e")), ONE_NIC)


@case(
    "ids take a protected device",
    (B, "configured-not-bound", "0000:01:00.0"),
    (B, "configured-not-bound", "0000:02:00.0"),
    (B, "ids-take-protected-device", "0000:01:00.0"),
    (W, "no-reset-method", "0000:01:00.0"),
    (W, "reboot-needed", "node"),
)
def _() -> tuple[Finding, ...]:
    return of(two_nics().put(vfio(NIC, "e1000e")))


@case(
    "the framebuffer holds the console's card",
    (B, "framebuffer-holds-console-gpu", CARD),
    (B, "protected-device", CARD),
)
def _() -> tuple[Finding, ...]:
    machine = host().function(CARD, "10de:1e84", "030000", group=13, boot_vga="1", **RESET)
    return of(machine.put({"sys/class/graphics/fb0/name": "EFI VGA\n"}), devices("id: '10de:1e84'"))


# Groups


@case("another card in the group", (B, "group-not-viable", "group 13"))
def _() -> tuple[Finding, ...]:
    return of(ready().function(OTHER, NIC, NIC_CLASS, driver="e1000e", group=13).nic("eno3", OTHER))


@case("the card's sound stays", (B, "sibling-not-included", "group 13"))
def _() -> tuple[Finding, ...]:
    return of(ready().function("0000:04:00.1", "10de:10f8", "040300", driver="snd_hda_intel", group=13))


@case("the card's sound is left out", (B, "sibling-not-included", CARD), (W, "bound-but-not-asked-for", CARD))
def _() -> tuple[Finding, ...]:
    machine = ready().function("0000:04:00.1", "10de:10f8", "040300", driver="snd_hda_intel", group=13)
    return of(machine, devices(f"{PERMIT}, companions: false"))


_DIRECT = {"sys/kernel/iommu_groups/13/reserved_regions": "0x00000000e8000000 0x00000000e8ffffff direct\n"}


@case("memory of the firmware", (B, "reserved-by-firmware", "group 13"))
def _() -> tuple[Finding, ...]:
    return of(ready().put(_DIRECT))


@case("memory of the firmware, and the device asked for", (B, "reserved-by-firmware", CARD))
def _() -> tuple[Finding, ...]:
    return of(card(driver=None).put(_DIRECT), devices(PERMIT))


@case("two devices in one group", (N, "more-devices-than-groups", "10de:1eb8 in group 13"))
def _() -> tuple[Finding, ...]:
    return of(ready().function("0000:04:00.1", T4, T4_CLASS, driver="vfio-pci", group=13, **RESET))


@case("two permitted devices in one group", (W, "more-devices-than-groups", "nvidia.com/T4 in group 13"))
def _() -> tuple[Finding, ...]:
    machine = ready().function("0000:04:00.1", T4, T4_CLASS, driver="vfio-pci", group=13, **RESET)
    return of(machine, devices(PERMIT))


# Now and after the next boot


@case("bound by hand", (W, "bound-until-reboot", CARD))
def _() -> tuple[Finding, ...]:
    return of(card())


@case("bound by address", (N, "identical-devices-partly-wanted", "0000:02:00.0"))
def _() -> tuple[Finding, ...]:
    unit = "ExecStart=/bin/sh -c 'echo vfio-pci >/sys/bus/pci/devices/0000:02:00.0/driver_override'\n"
    machine = two_nics("vfio-pci").put({"etc/systemd/system/hostagent-vfio-0000-02-00.0.service": unit})
    machine.links["etc/systemd/system/basic.target.wants/hostagent-vfio-0000-02-00.0.service"] = "../x"
    return of(machine, ONE_NIC)


@case("configured, and not rebooted since", (B, "configured-not-bound", CARD), (W, "reboot-needed", "node"))
def _() -> tuple[Finding, ...]:
    return of(card(driver="nouveau").put(vfio(T4, "nouveau")))


@case("the host's driver was first", (B, "driver-wins-race", CARD))
def _() -> tuple[Finding, ...]:
    return of(card(driver="nouveau").put({**vfio(T4), "proc/modules": LOADED}))


@case("the host's driver is built in", (B, "driver-wins-race", CARD))
def _() -> tuple[Finding, ...]:
    machine = card(driver="nouveau").put({**vfio(T4, "nouveau"), "proc/modules": LOADED})
    return of(machine.built_in("nouveau"))


@case("asked for, and nothing done", (B, "binding-not-configured", CARD))
def _() -> tuple[Finding, ...]:
    return of(card(driver="nouveau"), devices(PERMIT))


@case("no longer asked for", (W, "bound-but-not-asked-for", CARD))
def _() -> tuple[Finding, ...]:
    return of(ready(), profile())


@case(
    "no kernel arguments",
    (B, "iommu-not-enabled", "iommu"),
    (B, "kernel-arguments-missing", "intel_iommu=on"),
    (B, "binding-not-configured", CARD),
)
def _() -> tuple[Finding, ...]:
    return of(off().function(CARD, T4, T4_CLASS, group=None, **RESET), devices(PERMIT))


@case("kernel arguments it does without", (N, "kernel-arguments-missing", "intel_iommu=on"))
def _() -> tuple[Finding, ...]:
    return of(ready().put({"proc/cmdline": "quiet\n"}), devices(PERMIT))


@case("an argument that costs speed only", (W, "kernel-arguments-missing", "iommu=pt"))
def _() -> tuple[Finding, ...]:
    return of(host().put({"proc/cmdline": ON}), profile("iommu: {mode: pt}"))


@case("amd_iommu=on is asked for", (N, "kernel-arguments-missing", "amd_iommu=on"))
def _() -> tuple[Finding, ...]:
    amd = {"proc/cpuinfo": "processor\t: 0\nvendor_id\t: AuthenticAMD\nflags\t\t: lm pse pdpe1gb svm\n\n"}
    machine = host().without("sys/firmware/acpi/tables", "sys/class/iommu", "sys/module/kvm_intel").put(amd)
    machine.put({"sys/class/iommu/ivhd0/amd-iommu/cap": "0\n", "sys/firmware/acpi/tables/IVRS": ""})
    return of(machine, profile("iommu: {documentedArguments: true}"))


@case(
    "vfio-pci.ids= is not given, and bound it is",
    (W, "bound-until-reboot", CARD),
    (W, "kernel-arguments-missing", f"vfio-pci.ids={T4}"),
)
def _() -> tuple[Finding, ...]:
    return of(card().built_in("vfio-pci"), devices(PERMIT))


@case("pages that somebody made", (W, "kernel-arguments-missing", "hugepagesz=2M hugepages=8"))
def _() -> tuple[Finding, ...]:
    return of(host().put({_POOL: "8\n"}), profile("hugepages: {pools: [{size: 2M, count: 8}]}"))


@case("nested by itself", (W, "kernel-arguments-missing", "kvm_intel.nested=1"))
def _() -> tuple[Finding, ...]:
    machine = host().put({"proc/modules": ""}).built_in("kvm-intel")
    return of(machine, profile("nestedVirtualization: true"))


@case("an argument against it", (W, "kernel-arguments-contrary", "iommu=pt"))
def _() -> tuple[Finding, ...]:
    return of(host().put({"proc/cmdline": "intel_iommu=on iommu=pt\n"}), profile("iommu: {mode: on}"))


# Huge pages


@case("fewer than the command line asks for", (W, "hugepages-short", "hugepages 2M"))
def _() -> tuple[Finding, ...]:
    return of(host().put({"proc/cmdline": "hugepages=8\n", _POOL: "5\n"}))


@case(
    "fewer than the profile asks for",
    (B, "hugepages-short", "hugepages 2M"),
    (B, "kernel-arguments-missing", "hugepagesz=2M hugepages=8"),
)
def _() -> tuple[Finding, ...]:
    return of(host(), profile("hugepages: {pools: [{size: 2M, count: 8}]}"))


@case("fewer on a node", (B, "hugepages-short", "hugepages 2M on NUMA node 0"))
def _() -> tuple[Finding, ...]:
    return of(host(), profile("hugepages: {pools: [{size: 2M, count: 8, node: 0}]}"))


@case("a size there is not", (W, "hugepage-size-unsupported", "hugepages 16M"))
def _() -> tuple[Finding, ...]:
    return of(host().put({"proc/cmdline": "hugepagesz=16M hugepages=2\n"}))


@case(
    "a size there is not is asked for",
    (B, "hugepage-size-unsupported", "hugepages.pools[0]"),
    (B, "kernel-arguments-missing", "hugepagesz=1G hugepages=1"),
)
def _() -> tuple[Finding, ...]:
    flags = {"proc/cpuinfo": "processor\t: 0\nvendor_id\t: GenuineIntel\nflags\t\t: lm pse vmx\n\n"}
    return of(host().put(flags), profile("hugepages: {pools: [{size: 1G, count: 1}]}"))


def nodes(first: int, second: int) -> dict[str, str]:
    pool = "sys/devices/system/node/node{}/hugepages/hugepages-2048kB/nr_hugepages"
    return {
        "sys/devices/system/node/online": "0-1\n",
        "sys/devices/system/node/node1/meminfo": "Node 1 MemTotal: 1048576 kB\n",
        pool.format(0): f"{first}\n",
        pool.format(1): f"{second}\n",
    }


@case("uneven nodes", (W, "hugepages-uneven", "hugepages 2M"))
def _() -> tuple[Finding, ...]:
    return of(host().put(nodes(8, 2)))


@case(
    "uneven, and a node that is not there was asked for",
    (W, "hugepages-argument-dropped", "hugepages 2M on NUMA node 9"),
    (W, "hugepages-uneven", "hugepages 2M"),
)
def _() -> tuple[Finding, ...]:
    return of(host().put(nodes(8, 2) | {"proc/cmdline": "hugepagesz=2M hugepages=9:4\n"}))


@case("an odd page")
def _() -> tuple[Finding, ...]:
    return of(host().put(nodes(8, 7)))


@case("a node without memory")
def _() -> tuple[Finding, ...]:
    return of(host().put(nodes(8, 0) | {"sys/devices/system/node/node1/meminfo": "Node 1 MemTotal: 0 kB\n"}))


@case("uneven as asked for")
def _() -> tuple[Finding, ...]:
    wishes = profile("hugepages: {pools: [{size: 2M, count: 8, node: 0}, {size: 2M, count: 2, node: 1}]}")
    return of(host().put(nodes(8, 2)), wishes)


@case("a repeated size", (W, "hugepages-repeated", "hugepages 2M"))
def _() -> tuple[Finding, ...]:
    return of(host().put({"proc/cmdline": "hugepagesz=2M hugepages=4 hugepagesz=2M hugepages=8\n", _POOL: "4\n"}))


@case("a node that is not there", (W, "hugepages-argument-dropped", "hugepages 2M on NUMA node 9"))
def _() -> tuple[Finding, ...]:
    return of(host().put({"proc/cmdline": "hugepagesz=2M hugepages=9:4\n"}))


@case("a node that is not there is asked for", (B, "numa-node-not-found", "hugepages.pools[0]"))
def _() -> tuple[Finding, ...]:
    return of(host(), profile("hugepages: {pools: [{size: 2M, count: 8, node: 3}]}"))


@case(
    "more than there is",
    (B, "hugepages-beyond-memory", "hugepages.pools[0]"),
    (B, "hugepages-short", "hugepages 2M"),
    (B, "kernel-arguments-missing", "hugepagesz=2M hugepages=99999"),
)
def _() -> tuple[Finding, ...]:
    return of(host(), profile("hugepages: {pools: [{size: 2M, count: 99999}]}"))


# KVM


def without_kvm(flags: str = "lm pse pdpe1gb vmx", dep: str = "kvm.ko kvm-intel.ko vfio-pci.ko") -> Machine:
    modules = "".join(f"kernel/{name}:\n" for name in dep.split())
    machine = host().without("sys/class/misc/kvm", "sys/module/kvm_intel")
    cpuinfo = f"processor\t: 0\nvendor_id\t: GenuineIntel\nflags\t\t: {flags}\n\n"
    return machine.put({"proc/cpuinfo": cpuinfo, "lib/modules/6.12.0/modules.dep": modules, "proc/modules": ""})


@case("a kernel without KVM", (B, "kvm-missing", "kvm"))
def _() -> tuple[Finding, ...]:
    return of(without_kvm(dep="vfio-pci.ko"))


@case("a kernel without KVM for this CPU", (B, "kvm-missing", "kvm"))
def _() -> tuple[Finding, ...]:
    return of(without_kvm(dep="kvm.ko vfio-pci.ko"))


@case("virtualization is off", (B, "kvm-off-in-firmware", "kvm"))
def _() -> tuple[Finding, ...]:
    return of(without_kvm("lm pse pdpe1gb"))


@case("the module runs for nothing", (B, "kvm-off-in-firmware", "kvm"))
def _() -> tuple[Finding, ...]:
    return of(without_kvm().put({"proc/modules": "kvm_intel 1 0 - Live 0x0\n"}))


@case("a guest without virtualization", (B, "kvm-not-in-this-guest", "kvm"))
def _() -> tuple[Finding, ...]:
    return of(without_kvm("lm pse pdpe1gb hypervisor"))


@case("a guest without virtualization, of which that is not asked", (W, "kvm-not-in-this-guest", "kvm"))
def _() -> tuple[Finding, ...]:
    return of(without_kvm("lm pse pdpe1gb hypervisor"), profile())


@case("KVM is not loaded", (B, "kvm-not-loaded", "kvm"))
def _() -> tuple[Finding, ...]:
    return of(without_kvm())


@case("no KVM, in a part of a machine", (W, "kvm-not-loaded", "kvm"))
def _() -> tuple[Finding, ...]:
    return of(without_kvm().without("lib/modules", "proc/cpuinfo"))


_NESTED = "sys/module/kvm_intel/parameters/nested"


@case("nested is off", (N, "nested-off", "kvm"))
def _() -> tuple[Finding, ...]:
    return of(host().put({_NESTED: "N\n"}))


@case("nested is off and asked for", (B, "nested-off", "kvm"))
def _() -> tuple[Finding, ...]:
    return of(host().put({_NESTED: "N\n"}), profile("nestedVirtualization: true"))


@case("nested is off and nobody asks")
def _() -> tuple[Finding, ...]:
    return of(host().put({_NESTED: "N\n"}), profile())


@case("nested is on and not to be", (W, "nested-on", "kvm"))
def _() -> tuple[Finding, ...]:
    return of(host(), profile("nestedVirtualization: false"))


@case("nested is a kernel argument", (B, "kernel-arguments-missing", "kvm_intel.nested=1"), (B, "nested-off", "kvm"))
def _() -> tuple[Finding, ...]:
    machine = host().put({_NESTED: "N\n", "proc/modules": ""}).built_in("kvm-intel")
    return of(machine, profile("nestedVirtualization: true"))


@case("no vhost-net", (W, "device-node-missing", "/dev/vhost-net"))
def _() -> tuple[Finding, ...]:
    return of(host().without("sys/class/misc/vhost-net"))


@case("a /dev that is not the host's says nothing of vhost-net")
def _() -> tuple[Finding, ...]:
    return of(host().without("sys/class/misc/vhost-net").put({"dev/null": ""}))


# Watchdogs


_SYSTEMD = {
    "etc/systemd/system.conf.d/50-hostagent-watchdog.conf": (
        "[Manager]\nRuntimeWatchdogSec=30s\nRebootWatchdogSec=600s\nWatchdogDevice=/dev/watchdog0\n"
    )
}
_STATE = "sys/class/watchdog/watchdog0/state"
_ACTIVE = {_STATE: "active\n"}
WITH = profile("watchdog: {rebootTimeout: 600s, runtimeTimeout: 30s}", DEBIAN)


@case("no watchdog", (W, "watchdog-missing", "watchdog"))
def _() -> tuple[Finding, ...]:
    return of(host().without("sys/class/watchdog"))


@case("no watchdog of those asked for", (B, "watchdog-missing", "watchdog"))
def _() -> tuple[Finding, ...]:
    return of(host().without("sys/class/watchdog"), profile("watchdog: {}"))


@case(
    "no watchdog yet: its module is asked for",
    (B, "watchdog-missing", "watchdog"),
    (B, "watchdog-not-kept", "/dev/watchdog0"),
)
def _() -> tuple[Finding, ...]:
    modules = {"lib/modules/6.12.0/modules.dep": "kernel/iTCO_wdt.ko:\nkernel/vfio-pci.ko:\n"}
    return of(host().without("sys/class/watchdog").put(modules), profile("watchdog: {module: iTCO_wdt}"))


_SOFT = {"sys/class/watchdog/watchdog0/identity": "Software Watchdog\n"}


@case("only softdog", (W, "watchdog-only-software", "watchdog"))
def _() -> tuple[Finding, ...]:
    return of(host().without("sys/class/watchdog/watchdog0/device").put(_SOFT))


_HELD = {"holders.json": '[["/dev/watchdog0", "sbd"]]\n'}


@case("sbd has it", (N, "watchdog-owned", "watchdog0"))
def _() -> tuple[Finding, ...]:
    return of(host().put(_HELD | _ACTIVE))


@case("sbd has what systemd is to have", (B, "watchdog-owned", "watchdog0"))
def _() -> tuple[Finding, ...]:
    return of(host().put(_HELD | _ACTIVE | _SYSTEMD), WITH)


@case("somebody has it", (N, "watchdog-owned", "watchdog0"))
def _() -> tuple[Finding, ...]:
    return of(host().put(_ACTIVE))


@case("systemd has it, as it was told")
def _() -> tuple[Finding, ...]:
    return of(host().put(_ACTIVE | _SYSTEMD))


@case("the last start was the watchdog's", (W, "last-reset-by-watchdog", "watchdog0"))
def _() -> tuple[Finding, ...]:
    return of(host().put({"sys/class/watchdog/watchdog0/bootstatus": "32\n"}))


@case("systemd is not told", (B, "watchdog-not-kept", "/dev/watchdog0"))
def _() -> tuple[Finding, ...]:
    return of(host(), WITH)


@case("systemd is told, and not restarted", (B, "watchdog-not-kept", "/dev/watchdog0"))
def _() -> tuple[Finding, ...]:
    return of(host().put(_SYSTEMD), WITH)


@case("systemd keeps it as asked for")
def _() -> tuple[Finding, ...]:
    return of(host().put(_SYSTEMD | _ACTIVE), WITH)


@case("the daemon is to keep it", (B, "watchdog-not-kept", "/dev/watchdog0"))
def _() -> tuple[Finding, ...]:
    return of(host(), profile("watchdog: {keeper: watchdog}", DEBIAN))


@case(
    "too long",
    (B, "watchdog-not-kept", "/dev/watchdog0"),
    (B, "watchdog-timeout-out-of-range", "watchdog.runtimeTimeout"),
)
def _() -> tuple[Finding, ...]:
    return of(host(), profile("watchdog: {runtimeTimeout: 2000}", DEBIAN))


@case("another than on the other nodes", (B, "watchdog-differs", "watchdog.device"))
def _() -> tuple[Finding, ...]:
    other = host()
    for held in (other.files, other.links):
        for path in [path for path in held if path.startswith("sys/class/watchdog/watchdog0/")]:
            held[path.replace("watchdog0", "watchdog1")] = held.pop(path)
    return of_many(profile("watchdog: {}", DEBIAN), "c", host(), host(), other)


# Firmware


@case("Secure Boot", (N, "secure-boot", "node"))
def _() -> tuple[Finding, ...]:
    name = "sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c"
    return of(host().put({name: "\6\0\0\0\1"}))


@case("lockdown", (N, "kernel-lockdown", "node"))
def _() -> tuple[Finding, ...]:
    return of(host().put({"sys/kernel/security/lockdown": "none [integrity] confidentiality\n"}))


@case("full lockdown", (W, "kernel-lockdown", "node"))
def _() -> tuple[Finding, ...]:
    return of(host().put({"sys/kernel/security/lockdown": "none integrity [confidentiality]\n"}))
