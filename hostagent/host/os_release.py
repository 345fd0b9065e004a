"""Which operating system this is: os-release(5).

    NAME="Red Hat Enterprise Linux CoreOS"
    ID="rhcos"
    VERSION_ID="4.16"
    OPENSHIFT_VERSION="4.16"

etc/os-release, or usr/lib/os-release where etc has none. From OpenShift 4.19 on ID is rhel and VARIANT_ID coreos.
"""

from __future__ import annotations

from hostagent.host.reader import Reader
from hostagent.values.blanks import fields, lines, stripped
from hostagent.values.record import record

_PLACES = ("etc/os-release", "usr/lib/os-release")
_OSTREE = "run/ostree-booted"


@record
class OsRelease:
    """What etc/os-release says, or usr/lib/os-release where that is not there."""

    id: str | None
    """ID, as in rhcos. Null where it is not given."""
    id_like: tuple[str, ...]
    """Words of ID_LIKE; empty where it is not given."""
    version_id: str | None
    """VERSION_ID, as in 9.4. Null where it is not given."""
    variant_id: str | None
    """VARIANT_ID, as in coreos. Null where it is not given."""
    openshift_version: str | None
    """OPENSHIFT_VERSION, as in 4.16. Null where it is not given."""
    ostree: bool
    """Whether it was booted from an ostree deployment, whose /usr is read-only; run/ostree-booted."""


def os_release(reader: Reader) -> OsRelease | None:
    """The operating system, None where the root has no os-release."""
    text = next((text for path in _PLACES if (text := reader.text(path)) is not None), None)
    if text is None:
        return None
    values = variables(text)
    return OsRelease(
        id=values.get("ID"),
        id_like=tuple(fields(values.get("ID_LIKE", ""))),
        version_id=values.get("VERSION_ID"),
        variant_id=values.get("VARIANT_ID"),
        openshift_version=values.get("OPENSHIFT_VERSION"),
        ostree=reader.exists(_OSTREE),
    )


def variables(text: str) -> dict[str, str]:
    """Shell-like assignments; quotes around a value and backslashes inside it go, empty values too."""
    found = {}
    for line in lines(text):
        name, equals, value = stripped(line).partition("=")
        value = stripped(value)
        if len(value) > 1 and value[0] == value[-1] and value[0] in "\"'":
            value = value[1:-1]
        value = value.replace("\\", "")
        if equals and name and value and not name.startswith("#"):
            found[name] = value
    return found
