"""Kernel arguments that pass with their values: those that a judgement of this program reads, or that say how devices are set up.

Of all others the name alone passes, and a word without `=` that is in no list is hidden whole: `hunter2` is a word too.

    root=UUID=0a1b intel_iommu=on vfio-pci.ids=10de:1eb8 quiet hunter2
    root=[redacted] intel_iommu=on vfio-pci.ids=10de:1eb8 quiet [redacted]

(Documentation/admin-guide/kernel-parameters.txt, kernel-command-line(7), dracut.cmdline(7).) Names as the kernel compares
them: `-` is `_`. Parameters of modules are those of `PARAMETERS`, on the command line as in modprobe.d.
"""

from __future__ import annotations

from hostagent.host.redact_names import HIDDEN
from hostagent.values.blanks import is_blank

# areas/iommu, plan/arguments, advice/drift.
IOMMU = (
    "iommu", "intel_iommu", "amd_iommu", "amd_iommu_intr", "amd_iommu_dump", "intremap", "pcie_acs_override",
    "iommu.strict",
    "iommu.passthrough", "iommu.forcedac", "ivrs_ioapic", "ivrs_hpet", "ivrs_acpihid", "arm_smmu.disable_bypass",
    "arm_smmu.force_stage", "arm_smmu_v3.disable_bypass", "arm_smmu_v3.disable_msipolling", "no_x2apic_optout",
    "nox2apic",
)  # fmt: skip
# values/hugepages, plan/pools.
HUGEPAGES = (
    "hugepages", "hugepagesz", "default_hugepagesz", "hugetlb_cma", "hugetlb_cma_only", "hugetlb_free_vmemmap",
    "transparent_hugepage", "movable_node", "kernelcore", "movablecore", "mem", "memmap", "numa", "numa_balancing",
    "swapaccount",
)  # fmt: skip
# host/modprobe: which modules load at boot and which never do.
MODULE_LISTS = (
    "modprobe.blacklist", "module_blacklist", "rd.driver.blacklist", "rd.driver.pre", "rd.driver.post",
    "modules_load",
    "modules-load", "rd.modules_load", "rd.modules-load", "rd.driver.export", "initcall_blacklist",
)  # fmt: skip
# host/systemd, host/console, and what keeps a CPU, a display or a bus as guests need it.
OTHERS = (
    "systemd.watchdog_sec", "systemd.watchdog_pre_sec", "systemd.watchdog_pretimeout_governor",
    "systemd.watchdog_device",
    "systemd.unified_cgroup_hierarchy", "console", "earlycon", "earlyprintk", "video", "vga", "nomodeset", "fbcon",
    "pci", "pcie_aspm",
    "pcie_ports", "pcie_port_pm", "nmi_watchdog", "nowatchdog", "watchdog_thresh", "softlockup_panic", "panic",
    "isolcpus", "nohz",
    "nohz_full", "rcu_nocbs", "irqaffinity", "maxcpus", "nr_cpus", "nosmt", "mitigations", "tsc", "clocksource",
    "idle",
    "processor.max_cstate", "intel_idle.max_cstate", "intel_pstate", "amd_pstate", "cpufreq.default_governor",
    "mem_encrypt",
    "kvm_intel", "kvm_amd", "lockdown", "efi", "noefi", "acpi", "crashkernel", "psi", "preempt", "skew_tick",
    "split_lock_detect",
    "tsx", "spectre_v2", "spectre_v2_user", "l1tf", "mds", "tsx_async_abort", "mmio_stale_data", "retbleed",

    "nvme_core.multipath", "cgroup_disable", "selinux", "enforcing", "apparmor", "audit", "fips", "loglevel",
)  # fmt: skip
# Words that stand for themselves.
FLAGS = (
    "quiet", "splash", "rhgb", "ro", "rw", "debug", "single", "noapic", "nolapic", "nokaslr", "noresume", "nosmap",
    "nosmep", "nopti",
    "nospectre_v2", "noibrs", "noxsave", "nopat", "nofb", "noinitrd", "nohibernate", "nopvspin", "noreplace-smp",
    "rootwait",
    "ignore_loglevel", "threadirqs", "nodmraid", "nomdmonddf", "nomdmonisw", "noaliencache", "noautogroup",
    "iommu_off",
    "rd.shell", "rd.break", "emergency", "rescue", "text", "noswap", "no_timer_check", "nointremap", "x2apic_phys",

)  # fmt: skip
# Parameters of modules: areas/vfio, areas/kvm, plan/arguments, host/watchdogs.
PARAMETERS: dict[str, tuple[str, ...]] = {
    "vfio": ("enable_unsafe_noiommu_mode", "noiommu"),
    "vfio_iommu_type1": ("allow_unsafe_interrupts", "dma_entry_limit", "disable_hugepages"),
    "vfio_pci": ("ids", "disable_vga", "disable_idle_d3", "disable_denylist", "enable_sriov", "nointxmask"),
    "vfio_pci_core": ("disable_vga", "disable_idle_d3", "nointxmask"),
    "kvm": ("ignore_msrs", "report_ignored_msrs", "halt_poll_ns", "nx_huge_pages", "tdp_mmu", "mmio_caching"),
    "kvm_intel": (
        "nested",
        "ept",
        "vpid",
        "unrestricted_guest",
        "enable_apicv",
        "preemption_timer",
        "tdx",
        "sgx",
        "pml",
    ),
    "kvm_amd": ("nested", "npt", "avic", "sev", "sev_es", "sev_snp", "vgif", "vls"),
    "pci_stub": ("ids",),
    "iTCO_wdt": ("nowayout", "heartbeat"),
    "softdog": ("nowayout", "soft_margin", "soft_noboot", "soft_panic"),
    "hpwdt": ("nowayout", "soft_margin", "pretimeout", "kdumptimeout"),
    "ipmi_watchdog": ("nowayout", "timeout", "pretimeout", "action", "preaction", "preop", "start_now"),
}


def _plain(name: str) -> str:
    return name.replace("-", "_")


_VALUED = frozenset(map(_plain, (*IOMMU, *HUGEPAGES, *MODULE_LISTS, *OTHERS))) | frozenset(
    f"{module}.{name}" for module, names in PARAMETERS.items() for name in names
)
_ALONE = _VALUED | frozenset(map(_plain, FLAGS))


def argument(word: str) -> str:
    """One word of a kernel command line, as others may see it."""
    # The kernel takes quotes around the whole of a word, or around its value.
    name, equals, _ = word.replace('"', "").partition("=")
    plain = _plain(name)
    if plain in (_VALUED if equals else _ALONE):
        return word
    blank = any(is_blank(letter) for letter in name)
    return f"{name}={HIDDEN}" if equals and name and not blank else HIDDEN


def parameter(module: str, word: str) -> str:
    """One parameter given to a module in modprobe.d."""
    name, equals, _ = word.replace('"', "").partition("=")
    if _plain(name) in PARAMETERS.get(_plain(module), ()):
        return word
    return f"{name}={HIDDEN}" if equals and name and not any(is_blank(letter) for letter in name) else HIDDEN
