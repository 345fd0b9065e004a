"""systemd.service(5) units: one for each address that vfio-pci takes, one for each pool of huge pages on a NUMA node.

In Exec lines `$$` is a `$` and `%%` a `%`. The unit for an address looks whose it is before it touches anything: addresses
move when cards are added, the places of the bridges above do not (hostagent.assess.topology). `ExecCondition=` is unknown before
systemd 243, so the command itself looks again. It loops because `drivers_probe` reports no failure, and a host driver that
udev has just started may win the first round.

What has block devices below it when the command runs is left alone where one of them is mounted in any namespace, swapped on,
a member of a btrfs, held by another device or behind a loop device; so the unit for a disk controller waits for the mounts.
"""

from __future__ import annotations

from hostagent.plan.model import RUN, AddressUnit, Identity, Plan, PoolPlan
from hostagent.render.files import Unit
from hostagent.render.origin import entries, head
from hostagent.values.size import kernel_size

_BIND = """\
[Unit]
Description=hostagent: hand {address} to vfio-pci
DefaultDependencies=no
After=systemd-modules-load.service systemd-udev-trigger.service{mounts}
Wants=network-pre.target
Before=basic.target network-pre.target kubelet.service crio.service
Conflicts=shutdown.target
Before=shutdown.target
ConditionPathExists=/sys/bus/pci/devices/{address}/driver_override

[Service]
Type=oneshot
RemainAfterExit=yes
ExecCondition=/bin/sh -c 'cd -P /sys/bus/pci/devices/{address} || exit 1; {read}; case {seen} in {known}) exit 0;; esac; exit 1'
ExecStart=/sbin/modprobe vfio-pci
ExecStart=/bin/sh -c 'cd -P /sys/bus/pci/devices/{address} || exit 1; {read}; case {seen} in {known}) ;; *) exit 0;; esac; \
{used}; echo vfio-pci >driver_override; for i in 1 2 3 4 5 6 7 8 9 10; do {held} && exit 0; \
[ -e driver ] && echo {address} >driver/unbind; echo {address} >/sys/bus/pci/drivers_probe; {held} && exit 0; sleep 1; done; \
echo "{address} is still with $$(readlink -f driver)" >&2; exit 1'

[Install]
WantedBy=basic.target
"""
# q: `pci0000:00/02.3/00.0`, the directories from the root bus on without domain and bus of each.
_READ = (
    "read v <vendor; read d <device; read w <subsystem_vendor; read s <subsystem_device;"
    " p=$$(pwd -P); q=; IFS=/; for c in $$p; do case $$c in pci*:*) q=$$c;; *) q=$$q/$${c##*:};; esac; done; unset IFS"
)
_SEEN = "$$v:$$d:$$w:$$s:$$q"
# Block devices below the function: by their place, and with NVMe multipath by the subsystem of a controller that is.
_USED = (
    "below() { case $$(readlink -f $$1)/ in $$p/*) return 0;; esac;"
    " for k in $$(readlink -f $$1 | grep -o /nvme-subsys[0-9]*/); do"
    " for n in /sys/class/nvme-subsystem$${k}nvme*; do"
    " case $$(readlink -f $$n)/ in $$p/*) return 0;; esac; done; done; return 1; };"
    ' used() { echo "{address} stays: $$b is $$1" >&2; exit 1; };'
    " for e in /sys/class/block/*; do [ -e $$e/dev ] && below $$e || continue; b=$${e##*/}; read m <$$e/dev;"
    ' grep -Eqs "^[0-9]+ [0-9]+ $$m |- [^ ]+ /dev/$$b " /proc/self/mountinfo /proc/[0-9]*/mountinfo && used mounted;'
    ' grep -qs "^/dev/$$b[[:space:]]" /proc/swaps && used "swapped on";'
    " for h in $$e/holders/*; do [ -e $$h ] && used held; done;"
    ' for h in /sys/fs/btrfs/*/devices/$$b; do [ -e $$h ] && used "in a btrfs"; done;'
    ' grep -qsx /dev/$$b /sys/class/block/loop*/loop/backing_file && used "behind a loop device";'
    " done"
)
_HELD = '[ "$$(readlink -f driver)" = /sys/bus/pci/drivers/vfio-pci ]'

_POOL = """\
[Unit]
Description=hostagent: {pages} huge pages of {size} on NUMA node {node}
{after}Before=kubelet.service crio.service containerd.service libvirtd.service
ConditionPathExists={path}

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/bin/sh -c 'f={path}; for i in $$(seq 60); do echo {pages} >$$f; [ "$$(cat $$f)" -ge {pages} ] && exit 0; \
sleep 1; done; echo "NUMA node {node} gives $$(cat $$f) of {pages} pages" >&2; exit 1'

[Install]
WantedBy=multi-user.target
"""


def units(plan: Plan) -> tuple[Unit, ...]:
    """All units, addresses first."""
    return (*(_bind(plan, unit) for unit in plan.vfio.units), *_pools(plan))


def _bind(plan: Plan, unit: AddressUnit) -> Unit:
    address = unit.address
    asked = entries(one for one in plan.bindings if one.address == address)
    text = head((asked,)) + _BIND.format(
        address=address,
        read=_READ,
        seen=_SEEN,
        held=_HELD,
        used=_USED.replace("{address}", address),
        known="|".join(sorted(map(_pattern, unit.identities))),
        mounts=" local-fs.target swap.target" if unit.disk else "",
    )
    # A colon is a letter of unit names, but not of every tool that handles them.
    name = f"hostagent-vfio-{address.replace(':', '-')}.service"
    return Unit(name=name, enabled=True, text=text, dropins=())


def _pattern(identity: Identity) -> str:
    """What a shell's `case` compares: `0x8086:0x10d3:0x8086:0x0000:pci0000:00/02.3/00.0`, a star for what is not known."""
    parts = (
        identity.vendor_id,
        identity.device_id,
        identity.subsystem_vendor_id,
        identity.subsystem_device_id,
    )
    path = "*" if identity.path is None else identity.path
    return ":".join("*" if part is None else f"0x{part}" for part in parts) + f":{path}"


def _pools(plan: Plan) -> tuple[Unit, ...]:
    """Largest pages first: smaller ones break up the memory they need."""
    late = [pool for pool in plan.pools if pool.when == RUN and pool.numa_node is not None]
    return tuple(_pool(pool, [other for other in late if other.page_size > pool.page_size]) for pool in late)


def _pool_name(pool: PoolPlan) -> str:
    return f"hostagent-hugepages-{kernel_size(pool.page_size)}-node{pool.numa_node}.service"


def _pool(pool: PoolPlan, before: list[PoolPlan]) -> Unit:
    path = f"/sys/devices/system/node/node{pool.numa_node}/hugepages/hugepages-{pool.page_size >> 10}kB/nr_hugepages"
    after = f"After={' '.join(map(_pool_name, before))}\n" if before else ""
    size = kernel_size(pool.page_size)
    text = _POOL.format(pages=pool.pages, size=size, node=pool.numa_node, after=after, path=path)
    return Unit(name=_pool_name(pool), enabled=True, text=head(("hugepages.pools",)) + text, dropins=())
