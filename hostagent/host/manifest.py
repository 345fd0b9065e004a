"""What a capture says of itself, in hostagent-capture.json: which operations failed on the machine, and how.

    {"capture_version": 1, "redacted": true, "errors": [
     {"operation": "read", "path": "sys/class/net/eth0/speed", "kind": "unreadable", "detail": "EINVAL: Invalid argument"}]}

A capture comes from anybody: an entry that is not of this form is left out, and one Problem says so.
"""

from __future__ import annotations

import json

from hostagent.host.problem import KINDS, MALFORMED, MANIFEST, Problem

# Names of LiveTree's operations, as Host.memory has them.
_OPERATIONS = ("read", "names", "link", "status", "resolve", "stamp")
_FAULT = Problem(
    path=MANIFEST, kind=MALFORMED, detail="expected the errors of a capture, each with operation, path, kind and detail"
)


def errors(text: bytes) -> tuple[dict[tuple[str, str], Problem], Problem | None]:
    """By operation and path, the Problem each ended in; and what is wrong with the manifest itself."""
    try:
        entries = [
            (entry["operation"], entry["path"], entry["kind"], entry["detail"]) for entry in json.loads(text)["errors"]
        ]
    except (ValueError, KeyError, TypeError, RecursionError):
        return {}, _FAULT
    good = [
        (operation, path, kind, detail)
        for operation, path, kind, detail in entries
        if operation in _OPERATIONS and kind in KINDS and isinstance(path, str) and isinstance(detail, str)
    ]
    found = {(operation, path): Problem(path=path, kind=kind, detail=detail) for operation, path, kind, detail in good}
    return found, None if len(good) == len(entries) else _FAULT
