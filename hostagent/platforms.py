"""The systems that files are rendered for: one row each, one line a version.

Sources: OpenShift's and Fedora CoreOS's versions and their Ignition specifications, coreos/butane docs/specs.md and what Butane
0.29 prints; whose initramfs is made where, dracut(8), initramfs-tools(7); systemd 244 renamed ShutdownWatchdogSec= (its NEWS).
"""

from __future__ import annotations

from hostagent.values.record import record

# How the early user space of a platform is made.
GENERIC = "generic"  # with the image: it knows nothing of this host's /etc (Fedora and RHEL CoreOS)
DRACUT = "dracut"  # on the host by dracut, with its modprobe.d
INITRAMFS_TOOLS = "initramfs-tools"  # on the host by update-initramfs, with its modprobe.d


@record
class Version:
    """A version as profiles name it.

    `ignition`: the specification Butane translates to, None where there is no Ignition. `old_systemd`: it is older than 244, and
    knows RebootWatchdogSec= as ShutdownWatchdogSec=.
    """

    name: str
    ignition: str | None
    old_systemd: bool


@record
class Platform:
    """One row.

    `parts`: how many parts of a version tell formats apart (4.20.7 is 4.20). `needs_version`: the format depends on it.
    `role`: the machine config pool a profile means that names none; None where there are no roles. `namespace`: where
    HyperConverged stands by default. `targets`: what `render all` makes, in order.
    """

    name: str
    versions: tuple[Version, ...]
    parts: int
    needs_version: bool
    initramfs: str
    role: str | None
    namespace: str
    targets: tuple[str, ...]

    def version(self, name: str | None) -> Version | None:
        """The line of a version; None where no version was named."""
        return next((one for one in self.versions if one.name == name), None)

    def release(self, version: str) -> str:
        """A version as the lines spell it: `4.20.0` is openshift 4.20, `9.4` is rhel 9; others as they are."""
        parts = version.split(".")
        # 4.20.0 is how Butane writes 4.20, and 4.20.7 a release whose format is that of 4.20.
        return ".".join(parts[: self.parts]) if all(part.isdigit() for part in parts) and len(parts) <= 3 else version


def _versions(*names: str, ignition: str | None = None, old_systemd: bool = False) -> tuple[Version, ...]:
    return tuple(Version(name=name, ignition=ignition, old_systemd=old_systemd) for name in names)


def _openshift(first: int, last: int, *, ignition: str, old_systemd: bool = False) -> tuple[Version, ...]:
    return _versions(*(f"4.{minor}" for minor in range(first, last + 1)), ignition=ignition, old_systemd=old_systemd)


def _packaged(
    name: str, versions: tuple[Version, ...], *, parts: int, initramfs: str, arguments: tuple[str, ...]
) -> Platform:
    """A distribution whose files are put in place one by one. `arguments`: the targets that change the kernel command line."""
    return Platform(
        name=name,
        versions=versions,
        parts=parts,
        needs_version=False,
        initramfs=initramfs,
        role=None,
        namespace="kubevirt-hyperconverged",
        targets=("modprobe", "modules-load", initramfs, "systemd", *arguments, "kubevirt"),
    )


PLATFORMS = {
    row.name: row
    for row in (
        Platform(
            name="openshift",
            versions=(
                *_openshift(8, 12, ignition="3.2.0", old_systemd=True),
                *_openshift(13, 13, ignition="3.2.0"),
                *_openshift(14, 18, ignition="3.4.0"),
                *_openshift(19, 22, ignition="3.5.0"),
            ),
            parts=2,
            needs_version=True,
            initramfs=GENERIC,
            role="worker",
            namespace="openshift-cnv",
            targets=("butane", "machineconfig", "hyperconverged"),
        ),
        Platform(
            name="fcos",
            versions=(
                *_versions("1.4.0", ignition="3.3.0"),
                *_versions("1.5.0", ignition="3.4.0"),
                *_versions("1.6.0", ignition="3.5.0"),
                *_versions("1.7.0", ignition="3.6.0"),
            ),
            parts=3,
            needs_version=True,
            initramfs=GENERIC,
            role=None,
            namespace="kubevirt-hyperconverged",
            targets=("butane", "kubevirt"),
        ),
        _packaged(
            "rhel",
            (*_versions("8", old_systemd=True), *_versions("9", "10")),
            parts=1,
            initramfs=DRACUT,
            arguments=("kargs-grubby",),
        ),
        _packaged("debian", _versions("11", "12", "13"), parts=1, initramfs=INITRAMFS_TOOLS, arguments=("kargs-grub",)),
        _packaged(
            "ubuntu",
            _versions("20.04", "22.04", "24.04", "25.10", "26.04"),
            parts=2,
            initramfs=INITRAMFS_TOOLS,
            arguments=("kargs-grub",),
        ),
        _packaged(
            "suse",
            (*_versions("15", old_systemd=True), *_versions("16")),
            parts=1,
            initramfs=DRACUT,
            arguments=("kargs-suse",),
        ),
    )
}
