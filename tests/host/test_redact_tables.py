"""Every entry of every table of what passes: without it, its case here fails. Lists are the manuals', not the program's."""

from __future__ import annotations

import pytest

from hostagent.host import redact, redact_arguments, redact_guests, redact_mounts
from hostagent.host.redact import redacted
from hostagent.host.redact_arguments import argument, parameter
from hostagent.host.redact_files import change_of
from hostagent.host.redact_modules import modprobe
from hostagent.host.redact_mounts import options, source
from hostagent.host.redact_names import WORDS, Pseudonyms, is_kernel_name

# Documentation/admin-guide/kernel-parameters.txt, kernel-command-line(7), dracut.cmdline(7)
VALUED = """
iommu intel_iommu amd_iommu amd_iommu_intr amd_iommu_dump intremap pcie_acs_override iommu.strict iommu.passthrough
iommu.forcedac
ivrs_ioapic ivrs_hpet ivrs_acpihid arm-smmu.disable_bypass arm-smmu.force_stage arm-smmu-v3.disable_bypass
arm-smmu-v3.disable_msipolling no_x2apic_optout nox2apic
hugepages hugepagesz default_hugepagesz hugetlb_cma hugetlb_cma_only hugetlb_free_vmemmap transparent_hugepage
movable_node
kernelcore movablecore mem memmap numa numa_balancing swapaccount
modprobe.blacklist module_blacklist rd.driver.blacklist rd.driver.pre rd.driver.post modules_load rd.modules_load
rd.modules-load
rd.driver.export initcall_blacklist modules-load
systemd.watchdog_sec systemd.watchdog_pre_sec systemd.watchdog_pretimeout_governor systemd.watchdog_device
systemd.unified_cgroup_hierarchy console earlycon earlyprintk video vga nomodeset fbcon pci pcie_aspm pcie_ports
pcie_port_pm
nmi_watchdog nowatchdog watchdog_thresh softlockup_panic panic isolcpus nohz nohz_full rcu_nocbs irqaffinity maxcpus
nr_cpus nosmt
mitigations tsc clocksource idle processor.max_cstate intel_idle.max_cstate intel_pstate amd_pstate
cpufreq.default_governor
mem_encrypt kvm-intel kvm-amd lockdown efi noefi acpi crashkernel psi preempt skew_tick split_lock_detect tsx spectre_v2
spectre_v2_user l1tf mds tsx_async_abort mmio_stale_data retbleed nvme_core.multipath cgroup_disable selinux enforcing
apparmor audit fips loglevel
""".split()  # noqa: SIM905 - a page of words
FLAGS = """
quiet splash rhgb ro rw debug single noapic nolapic nokaslr noresume nosmap nosmep nopti nospectre_v2 noibrs noxsave
nopat nofb
noinitrd nohibernate nopvspin noreplace-smp rootwait ignore_loglevel threadirqs nodmraid nomdmonddf nomdmonisw
noaliencache
noautogroup iommu_off rd.shell rd.break emergency rescue text noswap no_timer_check nointremap x2apic_phys
""".split()  # noqa: SIM905
# modinfo -p
PARAMETERS = """
vfio.enable_unsafe_noiommu_mode vfio.noiommu vfio_iommu_type1.allow_unsafe_interrupts vfio_iommu_type1.dma_entry_limit
vfio_iommu_type1.disable_hugepages vfio-pci.ids vfio-pci.disable_vga vfio-pci.disable_idle_d3 vfio-pci.disable_denylist
vfio-pci.enable_sriov vfio-pci.nointxmask vfio_pci_core.disable_vga vfio_pci_core.disable_idle_d3
vfio_pci_core.nointxmask
kvm.ignore_msrs kvm.report_ignored_msrs kvm.halt_poll_ns kvm.nx_huge_pages kvm.tdp_mmu kvm.mmio_caching
kvm_intel.nested kvm_intel.ept kvm_intel.vpid kvm_intel.unrestricted_guest kvm_intel.enable_apicv
kvm_intel.preemption_timer
kvm_intel.tdx kvm_intel.sgx kvm_intel.pml kvm_amd.nested kvm_amd.npt kvm_amd.avic kvm_amd.sev kvm_amd.sev_es
kvm_amd.sev_snp
kvm_amd.vgif kvm_amd.vls pci-stub.ids iTCO_wdt.nowayout iTCO_wdt.heartbeat softdog.nowayout softdog.soft_margin
softdog.soft_noboot
softdog.soft_panic hpwdt.nowayout hpwdt.soft_margin hpwdt.pretimeout hpwdt.kdumptimeout ipmi_watchdog.nowayout
ipmi_watchdog.timeout ipmi_watchdog.pretimeout ipmi_watchdog.action ipmi_watchdog.preaction ipmi_watchdog.preop
ipmi_watchdog.start_now
""".split()  # noqa: SIM905


@pytest.mark.parametrize("name", [*VALUED, *PARAMETERS])
def test_an_argument_that_is_judged_passes_with_its_value(name: str) -> None:
    assert argument(f"{name}=x,1") == f"{name}=x,1"


@pytest.mark.parametrize("name", [*FLAGS, "nomodeset", "intremap"])
def test_a_known_word_passes(name: str) -> None:
    assert argument(name) == name


def test_no_table_of_arguments_has_more() -> None:
    own = (
        *redact_arguments.IOMMU,
        *redact_arguments.HUGEPAGES,
        *redact_arguments.MODULE_LISTS,
        *redact_arguments.OTHERS,
    )
    assert {name.replace("-", "_") for name in own} == {name.replace("-", "_") for name in VALUED}
    assert set(redact_arguments.FLAGS) == set(FLAGS)


@pytest.mark.parametrize(
    ("word", "shown"),
    [
        ("hunter2", "[redacted]"),
        ("root=/dev/mapper/acme-root", "root=[redacted]"),
        ("systemd.setenv=TOKEN=hunter2", "systemd.setenv=[redacted]"),
        ('"my.arg=hunter2 two"', "my.arg=[redacted]"),
        ('"hunter2 two=x"', "[redacted]"),
        ('my.arg="hunter2 two"', "my.arg=[redacted]"),
        ("nouveau.config=hunter2", "nouveau.config=[redacted]"),
        ("vfio_pci.hunter2", "[redacted]"),
        ("=hunter2", "[redacted]"),
        ('dyndbg="file x +p"', "dyndbg=[redacted]"),
        ('vfio-pci.ids="10de:1eb8"', 'vfio-pci.ids="10de:1eb8"'),
    ],
)
def test_of_others_the_name_alone(word: str, shown: str) -> None:
    assert (argument(word), argument(shown)) == (shown, shown)


@pytest.mark.parametrize("entry", PARAMETERS)
def test_a_parameter_that_is_judged_passes_in_modprobe_d(entry: str) -> None:
    module, _, name = entry.partition(".")
    assert parameter(module, f"{name}=1") == f"{name}=1"
    assert modprobe(f"options {module} {name}=1 key=hunter2\n") == f"options {module} {name}=1 key=[redacted]\n"


def test_commands_comments_and_foreign_options_do_not_pass() -> None:
    text = (
        "# hunter2\n"
        "options vfio-pci ids=10de:1eb8 \\\n"
        "  disable_vga=1\n"
        "options wifi key=hunter2\n"
        "softdep nouveau pre: vfio-pci\n"
        "blacklist nouveau\n"
        "install nvidia /sbin/modprobe --ignore-install vfio-pci; curl -u hunter2 x\n"
        "install firewire_core /bin/false\n"
        "remove nvidia /usr/bin/logger hunter2\n"
        "alias hunter2 vfio-pci\n"
        "hunter2\n"
    )
    shown = (
        "\n"
        "options vfio-pci ids=10de:1eb8 disable_vga=1\n"
        "\n"
        "\n"
        "softdep nouveau pre: vfio-pci\n"
        "blacklist nouveau\n"
        "install nvidia /sbin/modprobe --ignore-install vfio-pci\n"
        "install firewire_core /bin/false\n"
        "remove nvidia [redacted]\n"
        "\n"
        "\n"
    )
    assert (modprobe(text), modprobe(shown)) == (shown, shown)


COMMANDS = """/bin/true /bin/false /usr/bin/true /usr/bin/false true false modprobe /sbin/modprobe /usr/sbin/modprobe
/bin/modprobe
--ignore-install -i vfio vfio_pci vfio_pci_core vfio_iommu_type1 vfio_virqfd vfio_mdev vfio_platform iommufd vfio_ap
vfio_ccw""".split()  # noqa: SIM905


@pytest.mark.parametrize("word", COMMANDS)
def test_a_word_of_a_command_that_says_what_loads(word: str) -> None:
    assert modprobe(f"install x {word} hunter2") == f"install x {word}"


def test_that_a_command_is_about_vfio_is_shown_and_no_more() -> None:
    assert modprobe("install x echo vfio-hunter2") == "install x vfio"


def test_modules_files_have_modules_only() -> None:
    shown = redacted("etc/modules-load.d/a.conf", b"# hunter2\nvfio-pci\n; hunter2\nhunter2 x\n")
    assert shown == b"\nvfio-pci\n\n\n"


# hier(7), file-hierarchy(7); where the kubelet, container runtimes and hypervisors keep what they have.
PATHS = """
bin boot dev etc home lib lib64 media mnt opt proc root run sbin srv sys tmp usr var local share cache log spool lock
mail grub grub2
efi EFI loader user machines portables credentials audit journal sysroot ostree deploy nix store nfs systemd binfmt_misc
rpc_pipefs
crash swap swapfile swap.img swaps snap lost+found mapper md control disk by-id by-label by-partlabel by-partuuid
by-path by-uuid
by-diskseq block char bus pts shm mqueue hugepages hugepages-1Gi hugepages-2Mi hugepages1G hugepages-1048576kB
hugepages-2048kB
pagesize-1GB pagesize-2MB 1G 2M zvol vfio devices watchdog fuse cciss ida rd i2o fs cgroup unified memory kernel debug
tracing
security config pstore bpf firmware efivars connections selinux null zero urandom net tun kubelet pods volumes plugins
plugins_registry device-plugins volumeDevices volume-subpaths globalmount mount kubernetes.io kubernetes.io~csi
kubernetes.io~empty-dir kubernetes.io~projected kubernetes.io~secret kubernetes.io~configmap kubernetes.io~local-volume
containers
containerd docker crio rancher k3s rke2 agent storage overlay overlay-containers overlay2 overlayfs merged userdata
snapshots rootfs
io.containerd.snapshotter.v1.overlayfs io.containerd.runtime.v2.task k8s.io etcd etcd-data kubevirt libvirt images qemu
lxc lxd
incus pve vz ceph osd longhorn portworx topolvm database data postgresql mysql backup
""".split()  # noqa: SIM905


@pytest.mark.parametrize("word", PATHS)
def test_a_directory_of_every_host_passes(word: str) -> None:
    assert Pseudonyms().path(f"/{word}/hunter2") == f"/{word}/[redacted-1]"


def test_no_other_directory_passes() -> None:
    assert set(PATHS) == WORDS


# Documentation/admin-guide/devices.txt and the drivers' own documents.
KERNEL_NAMES = """sda sdaa12 hdb1 vda xvdb2 dasda1 ubda rssda1 skda nvme0n1p2 nvme0c0n1 mmcblk0boot0 mmcblk0p1
mmcblk0rpmb pmem0s1 dm-12 md127p1
md_d0p1 loop7p1 zram0 ram3 nbd0p1 rbd1p2 rnbd0 drbd0 bcache0p1 zd16p1 sr0 scd0 fd0 ublkb0 ubiblock0 mtdblock0 mtd0
ndblk0 nullb0
dcssblk0 etherd0 st0 sg1 ttyS0 tty0 nst0 watchdog0 c0d1p2""".split()  # noqa: SIM905


@pytest.mark.parametrize("name", KERNEL_NAMES)
def test_a_name_of_the_kernel_passes(name: str) -> None:
    assert is_kernel_name(name)


@pytest.mark.parametrize(
    "name", ["sdhunter2", "acme", "md_acme", "dm-acme", "nvme", "sd", "nvmehunter2", "luks-0a1b", "cd", "c0dx"]
)
def test_a_name_that_people_gave_is_none(name: str) -> None:
    assert not is_kernel_name(name)


SOURCES = """none udev systemd-1 cgroup cgroup2 rootfs shm sunrpc nfsd gvfsd-fuse portal composefs hugetlbfs mqueue
debugfs tracefs
configfs fusectl lxcfs rpc_pipefs swap run dev tmp sysfs proc devpts devtmpfs tmpfs overlay ramfs securityfs pstore bpf
efivarfs
selinuxfs binfmt_misc nsfs""".split()  # noqa: SIM905


@pytest.mark.parametrize("word", SOURCES)
def test_a_source_that_is_none(word: str) -> None:
    assert source(word, Pseudonyms(), "x") == word


def test_no_other_source_passes() -> None:
    assert set(SOURCES) == redact_mounts.SOURCES


@pytest.mark.parametrize("tag", ["UUID", "LABEL", "PARTUUID", "PARTLABEL", "ID"])
def test_a_tag_says_by_what_a_device_is_found(tag: str) -> None:
    names = Pseudonyms()
    assert source(f"{tag}=hunter2", names) == f"{tag}=[redacted-1]"
    assert names.path("/dev/disk/by-x/hunter2").endswith("/[redacted-1]")


@pytest.mark.parametrize(
    "name", ["logdev", "rtdev", "journal_path", "journal_dev", "jdev", "device", "x-systemd.requires", "header"]
)
def test_an_option_that_names_a_device(name: str) -> None:
    assert options(f"rw,{name}=/dev/mapper/acme", Pseudonyms()) == f"{name}=/dev/mapper/[redacted-1],[redacted]"


def test_an_offset_passes_and_a_word_does_not() -> None:
    assert options("offset=4096,device=hunter2", Pseudonyms()) == "offset=4096,[redacted]"


WHEN = "noauto nofail auto bind rbind loop _netdev x-systemd.automount x-initrd.mount x-initrd.attach".split()  # noqa: SIM905


@pytest.mark.parametrize("option", WHEN)
def test_an_option_that_says_when(option: str) -> None:
    shown = redacted("etc/fstab", f"/dev/sda1 /srv ext4 {option},acme 0 2\n".encode())
    assert shown == f"/dev/sda1 /srv ext4 {option},[redacted] 0 2\n".encode()


@pytest.mark.parametrize(
    "path",
    [
        "var/lib/kubelet/cpu_manager_state", "var/lib/kubelet/memory_manager_state", "var/lib/kubelet/config.yaml",
        "etc/kubernetes/kubelet.conf", "etc/kubernetes/kubelet.conf.d/1.conf", "etc/openshift/kubelet.conf.d/1.conf",
        "etc/os-release", "usr/lib/os-release", "etc/fstab", "etc/crypttab", "etc/mdadm.conf", "etc/mdadm/mdadm.conf",
        "etc/veritytab", "etc/integritytab", "etc/systemd/system/a.mount.d/1.conf", "usr/lib/systemd/system/a.swap.d/1.conf",
        "etc/mdadm.conf.d/1.conf", "etc/mdadm/mdadm.conf.d/1.conf", "etc/multipath.conf", "etc/multipath/conf.d/1.conf",
        "etc/systemd/system/a.mount", "run/systemd/generator/a.swap", "usr/local/lib/systemd/system/a.mount",
        "usr/lib/systemd/system/a.mount", "lib/systemd/system/a.automount", "etc/systemd/system/vfio.service",
        "etc/udev/rules.d/1-vfio.rules", "etc/driverctl.d/pci-0000:3b:00.0", "etc/libvirt/qemu/a.xml",
        "etc/pve/qemu-server/1.conf", "etc/pve/lxc/1.conf", "holders.json",
        *(f"{place}/{directory}/1.conf" for place in ("etc", "run", "usr/local/lib", "usr/lib", "lib")
          for directory in ("modprobe.d", "modules-load.d")),
        *(f"{place}/systemd/{name}" for place in ("etc", "run", "usr/local/lib", "usr/lib")
          for name in ("system.conf", "system.conf.d/1.conf")),
    ],
)  # fmt: skip
def test_every_file_of_people_has_its_function(path: str) -> None:
    assert change_of(path) is not None
    assert b"hunter2" not in redacted(path, b"[Mount]\nkey hunter2\n# hunter2 = hunter2\n<hunter2/>\n")


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("proc/cmdline", "x=hunter2"),
        ("proc/1/mountinfo", "36 35 8:1 / / rw - ext4 /dev/mapper/hunter2 rw"),
        ("proc/7/mounts", "/dev/mapper/hunter2 / ext4 rw 0 0"),
        ("proc/swaps", "/srv/hunter2 file 1 0 -2"),
        ("proc/net/route", "eth0\t00000000\tC0FFEE01\t0003\t0\t0\t0\t00000000\t0\t0\t0"),
        ("proc/1/net/ipv6_route", "2001c0ffee01 40 0 00 c0ffee01 00000400 1 0 00000003 eth0"),
        ("proc/net/dev", "enxc0ffee01c0ff: 1 2"),
        ("proc/cpuinfo", "Serial\t\t: c0ffee01"),
        ("proc/cpuinfo", "processor 0: version = FF,  identification = C0FFEE01,  machine = 8561"),
        ("proc/version", "Linux version 6.12.0 (hunter2@acme)"),
        ("sys/block/dm-0/dm/name", "hunter2\n"),
        ("sys/block/dm-0/dm/uuid", "CRYPT-LUKS2-c0ffee01-hunter2\n"),
        ("sys/block/loop0/loop/backing_file", "/srv/hunter2\n"),
        ("sys/block/zram0/backing_dev", "/dev/mapper/hunter2\n"),
        ("sys/class/net/bond0/bonding/slaves", "enxc0ffee01c0ff eno1\n"),
        ("sys/class/net/bonding_masters", "enxc0ffee01c0ff\n"),
        ("sys/class/net/enxc0ffee01c0ff/uevent", "INTERFACE=enxc0ffee01c0ff\n"),
        ("sys/class/net/eth0/ifalias", "hunter2\n"),
    ],
)
def test_every_kernel_file_with_names_has_its_function(path: str, text: str) -> None:
    shown = redacted(path, text.encode()).decode().lower()
    assert "hunter2" not in shown
    assert "c0ffee01" not in shown
    assert redacted(path, shown.encode()).decode().lower() == shown


def test_no_table_of_kernel_files_has_more() -> None:
    assert set(redact._PROC) == {"cmdline", "mountinfo", "mounts", "swaps", "route", "ipv6_route", "dev", "cpuinfo"}
    assert len(redact._SYS) == 8


LIBVIRT = """<domain type='kvm'><name>hunter2</name><uuid>hunter2</uuid><description>hunter2</description><devices>
<hostdev mode='subsystem' type='pci' managed='yes' model='none'><driver name='vfio' hunter2='x'/>
<source startupPolicy='optional' mode='bridge'>
<address domain='0x0000' bus='0x3b' slot='0x00' function='0x0' uuid='hunter2'/></source>
</hostdev>
<disk type='block' device='disk'><source dev='/dev/disk/by-id/hunter2'/><serial>hunter2</serial></disk>
<interface type='hostdev' managed='yes'><mac address='52:54:00:11:22:33'/><source><address type='pci' domain='0x0000'/></source>
</interface>
<graphics type='vnc' passwd='hunter2'/></devices></domain>"""
LIBVIRT_SHOWN = """<domain type='kvm'>
 <devices>
  <hostdev mode='subsystem' type='pci' managed='yes' model='none'>
   <driver name='vfio'/>
   <source mode='bridge' startupPolicy='optional'>
    <address domain='0x0000' bus='0x3b' slot='0x00' function='0x0' uuid='[redacted-1]'/>
   </source>
  </hostdev>
  <disk type='block' device='disk'>
   <source dev='/dev/disk/by-id/[redacted-1]'/>
  </disk>
  <interface type='hostdev' managed='yes'>
   <source>
    <address type='pci' domain='0x0000'/>
   </source>
  </interface>
 </devices>
</domain>
"""


def test_of_a_domain_its_host_devices_pass() -> None:
    """Every element and attribute of the table is in it."""
    for text in (LIBVIRT, LIBVIRT_SHOWN):
        assert redacted("etc/libvirt/qemu/a.xml", text.encode()).decode() == LIBVIRT_SHOWN
    given = {name for names in redact_guests.ELEMENTS.values() for name in names}
    assert all(f"<{element}" in LIBVIRT_SHOWN for element in redact_guests.ELEMENTS)
    assert all(f" {name}='" in LIBVIRT_SHOWN for name in given)


@pytest.mark.parametrize("text", ["<!DOCTYPE a [<!ENTITY b 'hunter2'>]><domain/>", "<domain", "", "<network/>", "\x00"])
def test_what_is_no_domain_is_nothing(text: str) -> None:
    assert redacted("etc/libvirt/qemu/a.xml", text.encode()) == b""


PROXMOX = """#hunter2
name: hunter2
onboot: 1
template: 0
protection: 1
hostpci0: 0000:01:00,pcie=1,x-vga=1,rombar=0,romfile=hunter2
hostpci1: mapping=hunter2,mdev=nvidia-257,legacy-igd=1
hostpci2: host=0000:01:00.0;02:00.1,driver=vfio
scsi0: /dev/disk/by-id/hunter2,size=32G
ide2: local:iso/hunter2.iso
sata0: file=/dev/sdb
virtio1: volume=/dev/sdc
efidisk0: local:hunter2
tpmstate0: local:hunter2
mp0: /mnt/hunter2,mp=/x
rootfs: local:hunter2
unused0: local:hunter2
cipassword: hunter2
[hunter2]
hostpci0: 0000:09:00
"""
PROXMOX_SHOWN = """

onboot: 1
template: 0
protection: 1
hostpci0: 0000:01:00,pcie=1,x-vga=1,rombar=0,romfile=[redacted]
hostpci1: mapping=[redacted-1],mdev=nvidia-257,legacy-igd=1
hostpci2: 0000:01:00.0;02:00.1,driver=vfio
scsi0: /dev/disk/by-id/[redacted-1]
ide2: [redacted]
sata0: /dev/sdb
virtio1: /dev/sdc
efidisk0: [redacted]
tpmstate0: [redacted]
mp0: /mnt/[redacted-1]
rootfs: [redacted]
unused0: [redacted]

[redacted]

"""


def test_of_a_guest_of_proxmox_its_host_devices_pass() -> None:
    for text in (PROXMOX, PROXMOX_SHOWN):
        assert redacted("etc/pve/qemu-server/100.conf", text.encode()).decode() == PROXMOX_SHOWN


BOOT = [
    (
        "etc/fstab",
        ("# hunter2\n\n/dev/mapper/hunter2 /home/hunter2 xfs nofail,uquota 0 2\nUUID=hunter2 none swap sw 0 0\n"
        "hunter2:/x /srv/a\\040b nfs4 noauto,_netdev\n"),
        ("\n\n/dev/mapper/[redacted-1] /home/[redacted-1] xfs nofail,[redacted] 0 2\nUUID=[redacted-1] none swap [redacted] 0 0\n"
        "[redacted-3] /srv/[redacted-2] nfs4 noauto,_netdev\n"),
    ),
    (
        "etc/crypttab",
        "a UUID=0a1b /hunter2:UUID=0a1c luks,header=/hunter2:x\nb /dev/sda2 /dev/disk/by-id/hunter2 header=/dev/sdb,hunter2\n",
        ("[redacted-3] UUID=[redacted-4] [redacted]:UUID=[redacted-1] luks,header=[redacted]:[redacted-2]\n"
        "[redacted-6] /dev/sda2 /dev/disk/by-id/[redacted-5] header=/dev/sdb,[redacted]\n"),
    ),
    (
        "etc/veritytab",
        "# hunter2\nhunter2 /dev/sda1 UUID=hunter2 hunter2 noauto,hunter2\nhunter2\n",
        "\n[redacted-1] /dev/sda1 UUID=[redacted-1] [redacted] noauto,[redacted]\n\n",
    ),
    (
        "etc/integritytab",
        "hunter2 /dev/sda1 /hunter2 nofail,hunter2\nhunter2 PARTLABEL=hunter2\n",
        "[redacted-1] /dev/sda1 [redacted] nofail,[redacted]\n[redacted-1] PARTLABEL=[redacted-1]\n",
    ),
    (
        "usr/lib/systemd/system/x.swap.d/10.conf",
        "[Swap]\n# hunter2\nWhat=/dev/mapper/hunter2\n[Unit]\nDescription=hunter2\n",
        "[Swap]\n\nWhat=/dev/mapper/[redacted-1]\n\n\n",
    ),
    (
        "etc/multipath/conf.d/1.conf",
        "multipaths { multipath { wwid hunter2 } }\ndefaults {\n hunter2 hunter2 }\n",
        'multipaths { multipath { wwid "[redacted-1]" } }\ndefaults {\n}\n',
    ),
    (
        "etc/crypttab",
        "hunter2 UUID=0a1b /root/hunter2 luks,nofail,keyscript=hunter2\nswap /dev/sda2 /dev/urandom swap,plain,tmp\n",
        "[redacted-1] UUID=[redacted-2] [redacted] luks,nofail,[redacted]\nswap /dev/sda2 /dev/urandom swap,plain,tmp\n",
    ),
    (
        "etc/systemd/system/x.mount",
        ("[Unit]\nDescription=hunter2\n[Mount]\nWhat=/dev/mapper/hunter2\nWhere=/srv/hunter2\nType=xfs\n# hunter2\n"
        "Options=nofail,x=hunter2\nEnvironment=hunter2\n[Install]\nWantedBy=hunter2\n"),
        "\n\n[Mount]\nWhat=/dev/mapper/[redacted-1]\nWhere=/srv/[redacted-1]\nType=xfs\n\nOptions=nofail,[redacted]\n\n\n\n",
    ),
    ("etc/systemd/system/x.swap", "[Swap]\nWhat=/dev/sda2\nPriority=1\n", "[Swap]\nWhat=/dev/sda2\n\n"),
    (
        "etc/mdadm/mdadm.conf",
        ("MAILADDR hunter2\nDEVICE /dev/sd* partitions containers\nARRAY /dev/md/hunter2 metadata=1.2 level=raid1 num-devices=2\n"
        "   UUID=hunter2 name=host:hunter2 spares=1\nHOMEHOST hunter2\n   hunter2\n"
        "ARRAY <ignore> devices=/dev/sda,/dev/disk/by-id/hunter2\n"),
        ("\nDEVICE /dev/sd* partitions containers\nARRAY /dev/md/[redacted-1] metadata=1.2 level=raid1 num-devices=2\n"
        "  UUID=[redacted-1] spares=1\n\n\nARRAY <ignore> devices=/dev/sda,/dev/disk/by-id/[redacted-1]\n"),
    ),
    (
        "etc/multipath.conf",
        ('defaults {\n  user_friendly_names yes\n  find_multipaths yes\n  enable_foreign none\n  path_grouping_policy failover\n'
        '  reservation_key hunter2\n}\nblacklist {\n  devnode "^sd[a-z]"\n  devnode "hunter2"\n'
        '  wwid ".*"\n}\nblacklist_exceptions {\n}\n'
        "multipaths {\n  multipath {\n    wwid hunter2\n    alias hunter2\n  }\n}\ndevices {\n  device {\n  }\n}\noverrides {\n"
        "  protocol {\n  }\n}\nhunter2 {\n}\n"),
        ('defaults {\nuser_friendly_names yes\nfind_multipaths yes\nenable_foreign none\npath_grouping_policy failover\n'
        '\n}\nblacklist {\ndevnode "^sd[a-z]"\ndevnode "[redacted]"\nwwid ".*"\n}\nblacklist_exceptions {\n}\n'
        'multipaths {\nmultipath {\nwwid "[redacted-1]"\nalias "[redacted-1]"\n}\n}\ndevices {\ndevice {\n}\n}\noverrides {\n'
        "protocol {\n}\n}\n[redacted] {\n}\n"),
    ),
]  # fmt: skip


@pytest.mark.parametrize(("path", "text", "shown"), BOOT)
def test_of_what_the_next_boot_wants(path: str, text: str, shown: str) -> None:
    assert redacted(path, text.encode()).decode() == shown
    assert redacted(path, shown.encode()).decode() == shown
