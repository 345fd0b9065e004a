"""`about`: of which node a report is, and when it was made. It stands in the document beside the areas, and in no NodeReport.

    /proc/sys/kernel/random/boot_id     8a5c17b6-...     another one after each start of the machine

Equal machines give equal reports; this is what tells them apart. It is shown of the running machine alone.
"""

from __future__ import annotations

import os
import time

from hostagent.host import Host
from hostagent.host.reader import BOOT_ID
from hostagent.host.regular import TooLargeError
from hostagent.report import NodeReport
from hostagent.values.plain import json_text
from hostagent.values.record import record, record_fields

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_FORM = "%Y-%m-%dT%H:%M:%SZ"
_DIGITS = 16


@record
class About:
    """Of which node a report is, and when it was made."""

    node: str
    """Name of the node: --node-name, else `node` of the agent's settings, else NODE_NAME, else the host name."""
    surveyed_at: str
    """When the survey ended, UTC, as in 2026-11-27T06:45:26Z; in /report.json the last one that did."""
    boot: str | None
    """16 hex digits, others after each start of the machine: a hash of proc/sys/kernel/random/boot_id. Null where there is
    no such file."""


def node_name(given: str | None) -> str:
    """The name given, else that of the environment (a pod's, by the downward API), else the host's."""
    return given or os.environ.get("NODE_NAME") or os.uname().nodename


def about(host: Host, *, node: str, at: float) -> About | None:
    """What stands beside a report of `host`, made `at` seconds after 1970; None where it is not the running machine."""
    if not host.is_this_machine():
        return None
    return About(node=node, surveyed_at=time.strftime(_FORM, time.gmtime(at)), boot=_boot(host))


def ended(beside: About) -> float:
    """`surveyed_at` in seconds since 1970. Raises ValueError."""
    import calendar

    return calendar.timegm(time.strptime(beside.surveyed_at, _FORM))


def _boot(host: Host) -> str | None:
    """Hashed, as systemd advises for IDs of machines: programs that know the ID itself may take it for a secret."""
    try:
        told = host.tree.aside(BOOT_ID)
    except (OSError, TooLargeError):
        return None
    return _sha256(told.strip()) if told.strip() else None


def _sha256(data: bytes) -> str:
    # Not hashlib first: it loads OpenSSL, which takes longer than a small machine's survey.
    try:
        from _sha2 import sha256  # type: ignore[import-not-found, unused-ignore]  # Python 3.12
    except ImportError:
        try:
            from _sha256 import sha256  # type: ignore[import-not-found, unused-ignore]
        except ImportError:
            from hashlib import sha256
    digits: str = sha256(data).hexdigest()
    return digits[:_DIGITS]


def document(report: NodeReport, beside: About | None) -> Any:
    """The report as it is shown: with what stands beside it, where there is anything."""
    if beside is None:
        return report
    fields = {name: getattr(report, name) for name in record_fields(NodeReport)}
    return {"schema_version": fields.pop("schema_version"), "about": beside, **fields}


def put_into(body: bytes, beside: About) -> bytes:
    """`document` as JSON, of the JSON of a report."""
    head, comma, rest = body.partition(b",\n")
    # Without the braces around it.
    lines = json_text({"about": beside})[2:-3]
    return b"".join((head, comma, lines.encode(), comma, rest))
