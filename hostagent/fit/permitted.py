"""permittedHostDevices as an administrator has it: a HyperConverged or KubeVirt resource, or the bare mapping; YAML or JSON.

The shortest form is a mapping of selectors to resource names: `10DE:1EB8: nvidia.com/TU104GL_Tesla_T4`.
A list, as `kubectl get -o yaml` prints one, may hold the resource. The bare mapping takes either spelling of the selector.
Entries that are `disabled` never reach KubeVirt. What KubeVirt would take is taken: a selector that fits nothing is no error.
"""

from __future__ import annotations

import json

import yaml

from hostagent.values.kubevirt import HCO_SELECTOR, KUBEVIRT_SELECTOR, PCI_LIST, PERMITTED, selector_fault
from hostagent.values.record import record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

LIMIT = 4 << 20
_OWN = "permittedHostDevices"
_SELECTORS = (HCO_SELECTOR, KUBEVIRT_SELECTOR)
_OTHERS = ("mediatedDevices", "usbHostDevices", "usb")


class PermittedError(Exception):
    """A file that holds no permitted devices: the place in it, and what was expected."""


@record
class PermittedEntry:
    """One PCI entry. `selector` in lower case, as KubeVirt compares it. `external`: another plugin hands the resource out."""

    selector: str
    resource: str
    external: bool


@record
class PermittedList:
    """The PCI entries in their order. `others`: lists of other kinds of devices that hold entries too."""

    entries: tuple[PermittedEntry, ...]
    others: tuple[str, ...]


def read_permitted(text: str | bytes, place: str) -> PermittedList:
    """What a file permits; `place` names it in errors. Raises PermittedError."""
    document = _document(text, place)
    if not isinstance(document, dict):
        raise PermittedError(f"{place}: expected a HyperConverged or KubeVirt resource or {PCI_LIST}, {_saw(document)}")
    if document and all(_is_selector(key) for key in document):
        return PermittedList(entries=_short(document, place), others=())
    found, at = _mapping(document, place)
    if not isinstance(found, dict):
        raise PermittedError(f"{place}: {at}: expected keys and values, {_saw(found)}")
    entries = found.get(PCI_LIST) or []
    if not isinstance(entries, list):
        raise PermittedError(f"{place}: {_under(at, PCI_LIST)}: expected a list, {_saw(entries)}")
    read = [_entry(entry, f"{place}: {_under(at, PCI_LIST)}[{number}]") for number, entry in enumerate(entries)]
    return PermittedList(
        entries=tuple(entry for entry in read if entry is not None),
        others=tuple(name for name in _OTHERS if found.get(name)),
    )


def _document(text: str | bytes, place: str) -> Any:
    if len(text) > LIMIT:
        raise PermittedError(f"{place}: expected at most {LIMIT} bytes, saw {len(text)}")
    try:
        read = text.decode() if isinstance(text, bytes) else text
        # JSON may be indented by tabs, which YAML does not take.
        return json.loads(read) if read.lstrip().startswith("{") and "\t" in read else yaml.safe_load(read)
    except UnicodeDecodeError as error:
        raise PermittedError(f"{place}: expected UTF-8 text") from error
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise PermittedError(
            f"{place}:{mark.line + 1 if mark else 1}: no YAML: {error.problem or error.context}"
        ) from error
    except json.JSONDecodeError as error:
        raise PermittedError(f"{place}:{error.lineno}: no JSON: {error.msg}") from error
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise PermittedError(f"{place}: no YAML: {str(error).partition(chr(10))[0]}") from error


def _is_selector(key: object) -> bool:
    return selector_fault(str(key)) is None


def _short(document: dict[str, Any], place: str) -> tuple[PermittedEntry, ...]:
    for key, resource in document.items():
        if not isinstance(resource, str) or not resource:
            raise PermittedError(f"{place}: {key}: expected a resource name, {_saw(resource)}")
    return tuple(
        PermittedEntry(selector=key.lower(), resource=resource, external=False) for key, resource in document.items()
    )


def _mapping(document: dict[str, Any], place: str) -> tuple[Any, str]:
    """The permittedHostDevices of a document, and where they stand in it."""
    if "kind" not in document and "apiVersion" not in document:
        if _OWN in document:
            return document[_OWN] or {}, _OWN
        if not any(name in document for name in (PCI_LIST, *_OTHERS)):
            raise PermittedError(f"{place}: expected {PCI_LIST}, or a resource with apiVersion and kind")
        return document, ""
    kind = (document.get("apiVersion"), document.get("kind"))
    if kind[1] == "List" and isinstance(document.get("items"), list):
        items = [one for one in document["items"] if isinstance(one, dict)]
        known = [one for one in items if (one.get("apiVersion"), one.get("kind")) in PERMITTED]
        if len(known) != 1:
            raise PermittedError(f"{place}: items: expected one HyperConverged or KubeVirt, saw {len(known)}")
        return _mapping(known[0], place)
    if kind not in PERMITTED:
        expected = ", ".join(" ".join(one) for one in PERMITTED)
        raise PermittedError(f"{place}: apiVersion {kind[0]!r}, kind {kind[1]!r}: expected one of {expected}")
    return _within(document, PERMITTED[kind][0], place)


def _within(document: dict[str, Any], path: tuple[str, ...], place: str) -> tuple[Any, str]:
    found: Any = document
    for depth, key in enumerate(path):
        if not isinstance(found, dict):
            raise PermittedError(f"{place}: {'.'.join(path[:depth])}: expected keys and values, {_saw(found)}")
        found = found.get(key)
        if found is None:
            return {}, ".".join(path)
    return found, ".".join(path)


def _entry(entry: Any, place: str) -> PermittedEntry | None:
    if not isinstance(entry, dict):
        raise PermittedError(f"{place}: expected keys and values, {_saw(entry)}")
    key = next((name for name in _SELECTORS if name in entry), None)
    if key is None:
        raise PermittedError(f"{place}: expected {' or '.join(_SELECTORS)}")
    for name in (key, "resourceName"):
        if not isinstance(entry.get(name), str) or not entry[name]:
            raise PermittedError(f"{place}.{name}: expected text, {_saw(entry.get(name))}")
    for name in ("externalResourceProvider", "disabled"):
        if not isinstance(entry.get(name, False), bool):
            raise PermittedError(f"{place}.{name}: expected true or false, {_saw(entry[name])}")
    if entry.get("disabled"):
        return None
    external = bool(entry.get("externalResourceProvider"))
    return PermittedEntry(selector=entry[key].lower(), resource=entry["resourceName"], external=external)


def _under(at: str, name: str) -> str:
    return f"{at}.{name}" if at else name


def _saw(value: object) -> str:
    if value is None:
        return "saw nothing"
    return f"saw {'a list' if isinstance(value, list) else 'keys and values' if isinstance(value, dict) else repr(value)[:40]}"
