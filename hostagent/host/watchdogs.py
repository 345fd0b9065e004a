"""Watchdog devices as sysfs shows them. The files are listed in `hostagent.areas.watchdog`."""

from __future__ import annotations

from hostagent.host.carriers import place, split
from hostagent.host.disks import natural
from hostagent.host.holders import holders
from hostagent.host.modules import parameter, switch
from hostagent.host.pci import functions as pci_functions
from hostagent.host.reader import Reader
from hostagent.values.blanks import fields
from hostagent.values.number import whole
from hostagent.values.pci import PciAddress
from hostagent.values.record import record

CLASS = "sys/class/watchdog"
MISC = "sys/class/misc/watchdog"
IPMI = "ipmi_watchdog"
LEGACY = "watchdog"
# Set by every ping and cleared by whoever reads `status` next (watchdog_get_status): news, not a fact of the machine.
_KEEPALIVEPING = 0x8000
# include/uapi/linux/watchdog.h: WDIOF_ bits, of bootstatus and of options alike.
BITS = (
    (0x0001, "overheat"), (0x0002, "fan-fault"), (0x0004, "external-1"), (0x0008, "external-2"), (0x0010, "power-under"),
    (0x0020, "card-reset"), (0x0040, "power-over"), (0x0080, "set-timeout"), (0x0100, "magic-close"),
    (0x0200, "pretimeout"), (0x0400, "alarm-only"), (0x8000, "keepalive-ping"),
)  # fmt: skip
# Drivers that give their watchdog no parent device, by what it calls itself.
_PARENTLESS = {"Software Watchdog": "softdog", "i6300ESB timer": "i6300esb", "z Watchdog": "diag288_wdt"}
_SOFTWARE = frozenset(("softdog",))


@record
class WatchdogDevice:
    """One watchdog."""

    name: str
    """Its name in sys/class/watchdog; `watchdog` for ipmi_watchdog, which is not there."""
    identity: str | None
    """What it calls itself, as in iTCO_wdt; sys/class/watchdog/watchdogN/identity, IPMI for ipmi_watchdog. Null where
    there is no such file."""
    state: str | None
    """active where user space has armed it, else inactive; sys/class/watchdog/watchdogN/state. Null where there is no
    such file (no CONFIG_WATCHDOG_SYSFS), and of ipmi_watchdog."""
    timeout: int | None
    """Seconds until the machine restarts unless fed; sys/class/watchdog/watchdogN/timeout, of ipmi_watchdog the
    parameter timeout. Null where there is no such file."""
    driver: str | None
    """Its driver; sys/class/watchdog/watchdogN/device/driver, else known by `identity`. Null where neither tells."""
    device: str | None
    """Device number, major:minor; sys/class/watchdog/watchdogN/dev, of ipmi_watchdog sys/class/misc/watchdog/dev. Null
    where there is no such file."""
    hardware: bool | None
    """Whether it works when the kernel hangs: false for softdog. Null where it has no known driver and no parent
    device."""
    function: PciAddress | None
    """Address of the PCI function it is part of: one above it in sys/devices, or the only one with its driver. Null
    where there is none, and of ipmi_watchdog."""
    min_timeout: int | None
    """Seconds, the least it takes; sys/class/watchdog/watchdogN/min_timeout. Null where there is no such file (no
    CONFIG_WATCHDOG_SYSFS), and of ipmi_watchdog."""
    max_timeout: int | None
    """Seconds, the most it takes, 0 being no limit; sys/class/watchdog/watchdogN/max_timeout. Null where there is no
    such file (no CONFIG_WATCHDOG_SYSFS), and of ipmi_watchdog."""
    pretimeout: int | None
    """Seconds before the timeout at which the governor acts, 0 being never; sys/class/watchdog/watchdogN/pretimeout, of
    ipmi_watchdog the parameter pretimeout. Null where there is no such file."""
    pretimeout_governor: str | None
    """What happens at the pretimeout, as in panic; sys/class/watchdog/watchdogN/pretimeout_governor. Null where there
    is none set or no such file, and of ipmi_watchdog."""
    pretimeout_governors: tuple[str, ...]
    """Those it can have; sys/class/watchdog/watchdogN/pretimeout_available_governors. Empty where there is no such
    file."""
    nowayout: bool | None
    """Whether it cannot be stopped once armed; sys/class/watchdog/watchdogN/nowayout, of ipmi_watchdog the parameter
    nowayout. Null where there is no such file."""
    status: int | None
    """WDIOF_ bits without keepalive-ping, which every ping sets; sys/class/watchdog/watchdogN/status. Null where there
    is no such file (no CONFIG_WATCHDOG_SYSFS), and of ipmi_watchdog."""
    bootstatus: int | None
    """WDIOF_ bits the driver gave for the last restart, 32 being the watchdog's;
    sys/class/watchdog/watchdogN/bootstatus. Null where there is no such file (no CONFIG_WATCHDOG_SYSFS), and of
    ipmi_watchdog."""
    boot_causes: tuple[str, ...]
    """The bits of `bootstatus` in words, as in card-reset; those without a name in hex."""
    options: int | None
    """WDIOF_ bits of what it can do; sys/class/watchdog/watchdogN/options. Null where there is no such file (no
    CONFIG_WATCHDOG_SYSFS), and of ipmi_watchdog."""
    features: tuple[str, ...]
    """The bits of `options` in words, as in magic-close; those without a name in hex."""
    fw_version: int | None
    """Version of its firmware; sys/class/watchdog/watchdogN/fw_version. Null where there is no such file (no
    CONFIG_WATCHDOG_SYSFS), and of ipmi_watchdog."""
    access_cs0: bool | None
    """Aspeed's, after a start from the second boot flash: whether the first is back in place;
    sys/class/watchdog/watchdogN/access_cs0. Null where there is no such file, as on all others."""
    held_by: tuple[str, ...] | None
    """Names of the processes that have its device node open. Null where nobody looked, which takes root on the machine
    itself."""


def watchdogs(reader: Reader) -> tuple[WatchdogDevice, ...]:
    """Every watchdog in order of its number, ipmi_watchdog last."""
    names = reader.names(CLASS)
    found = [_class_device(reader, name) for name in sorted(names, key=natural)]
    # The first of the class has the old node too (drivers/watchdog/watchdog_dev.c): then it says nothing of another's.
    if reader.exists(f"sys/module/{IPMI}") and reader.exists(MISC) and "watchdog0" not in names:
        found.append(_ipmi(reader))
    return tuple(found)


def words(bits: int | None) -> tuple[str, ...]:
    """The WDIOF_ bits that are set, by name; bits without a name as hex."""
    left, found = bits or 0, []
    for bit, name in BITS:
        if left & bit:
            found.append(name)
            left &= ~bit
    return (*found, *([hex(left)] if left > 0 else []))


def _class_device(reader: Reader, name: str) -> WatchdogDevice:
    path = f"{CLASS}/{name}"
    identity = reader.text(f"{path}/identity") or None
    driver = reader.target(f"{path}/device/driver") or _PARENTLESS.get(identity or "")
    function = _function(reader, path, frozenset(filter(None, (driver, identity))))
    bootstatus, options = _number(reader, f"{path}/bootstatus"), _number(reader, f"{path}/options")
    return WatchdogDevice(
        name=name,
        identity=identity,
        state=reader.text(f"{path}/state") or None,
        timeout=reader.integer(f"{path}/timeout"),
        driver=driver,
        device=reader.text(f"{path}/dev") or None,
        hardware=_hardware(driver, with_parent=reader.exists(f"{path}/device")),
        function=function,
        min_timeout=reader.integer(f"{path}/min_timeout"),
        max_timeout=reader.integer(f"{path}/max_timeout"),
        pretimeout=reader.integer(f"{path}/pretimeout"),
        pretimeout_governor=reader.text(f"{path}/pretimeout_governor") or None,
        pretimeout_governors=tuple(fields(reader.text(f"{path}/pretimeout_available_governors") or "")),
        nowayout=reader.flag(f"{path}/nowayout"),
        status=_lasting(_number(reader, f"{path}/status")),
        bootstatus=bootstatus,
        boot_causes=words(bootstatus),
        options=options,
        features=words(options),
        # 32 bits without a sign, which the kernel prints with one (%d).
        fw_version=reader.integer(f"{path}/fw_version", negative=True),
        access_cs0=reader.flag(f"{path}/access_cs0"),
        # /dev/watchdog is a second name of watchdog0.
        held_by=_held(reader, (f"/dev/{name}", "/dev/watchdog") if name == "watchdog0" else (f"/dev/{name}",)),
    )


def _hardware(driver: str | None, *, with_parent: bool) -> bool | None:
    if driver is None:
        return True if with_parent else None
    return driver not in _SOFTWARE


def _function(reader: Reader, path: str, names: frozenset[str]) -> PciAddress | None:
    functions = split(place(reader, path) or "")[0]
    if functions:
        return functions[-1]
    # Without a parent only the driver leads to its function, if it has one and no more. i6300esb gives its PCI driver the
    # name of its watchdog.
    bound = [one.address for one in pci_functions(reader) if one.driver in names] if names else []
    return bound[0] if len(bound) == 1 else None


def _lasting(status: int | None) -> int | None:
    return None if status is None else status & ~_KEEPALIVEPING


def _number(reader: Reader, path: str) -> int | None:
    """`0x8180`, or decimal: attributes of the class use both."""

    def parse(text: str) -> int | None:
        number = whole(text, 16 if text[:2] == "0x" else 10)
        return None if number is None or number < 0 else number

    return reader.parsed(path, parse, "a number")


def _held(reader: Reader, nodes: tuple[str, ...]) -> tuple[str, ...] | None:
    found = holders(reader)
    return None if found is None else tuple(sorted({one.process for one in found if one.path in nodes}))


def _ipmi(reader: Reader) -> WatchdogDevice:
    """The BMC's watchdog, by the parameters of its module: it has no other files."""
    timeout, pretimeout = (whole(parameter(reader, IPMI, name) or "") for name in ("timeout", "pretimeout"))
    return WatchdogDevice(
        name=LEGACY,
        identity="IPMI",
        state=None,
        timeout=timeout,
        driver=IPMI,
        device=reader.text(f"{MISC}/dev") or None,
        hardware=True,
        function=None,
        min_timeout=None,
        max_timeout=None,
        pretimeout=pretimeout,
        pretimeout_governor=None,
        pretimeout_governors=(),
        nowayout=switch(reader, IPMI, "nowayout"),
        status=None,
        bootstatus=None,
        boot_causes=(),
        options=None,
        features=(),
        fw_version=None,
        access_cs0=None,
        held_by=_held(reader, (f"/dev/{LEGACY}",)),
    )
