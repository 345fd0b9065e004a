"""Text to Profile, or one message that names the line and what was expected there; and the profile's JSON Schema."""

from __future__ import annotations

from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from hostagent.profile.model import Device, Hugepages, HugePool, Iommu, Part, Platform, Profile, Watchdog
from hostagent.profile.source import Place, SourceError, load

LIMIT = 1 << 20
_PARTS: dict[tuple[str, ...], type[Part]] = {
    (): Profile,
    ("platform",): Platform,
    ("iommu",): Iommu,
    ("devices",): Device,
    ("hugepages",): Hugepages,
    ("hugepages", "pools"): HugePool,
    ("watchdog",): Watchdog,
}


class ProfileError(Exception):
    """A profile that is not one: file and line, the place in it, what was expected."""


def read_profile(text: str | bytes, place: str) -> Profile:
    """The profile in `text`; `place` names it in errors. Raises ProfileError."""
    if isinstance(text, bytes):
        text = _decoded(text, place)
    if len(text) > LIMIT:
        raise ProfileError(f"{place}:1: expected a profile, not {len(text)} letters")
    try:
        value, lines = load(text)
    except SourceError as error:
        raise ProfileError(f"{place}:{error.line}: {error}") from error
    if not isinstance(value, dict):
        raise ProfileError(f"{place}:1: expected keys and values, among them platform")
    try:
        return Profile.model_validate(value)
    except ValidationError as error:
        raise ProfileError(_message(error, lines, place)) from error


def _decoded(raw: bytes, place: str) -> str:
    try:
        return raw.decode()
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise ProfileError(f"{place}:{line}: expected UTF-8 text") from error


def _message(error: ValidationError, lines: dict[Place, int], place: str) -> str:
    """The error that stands first in the file."""
    found = [(_line(_loc(detail), lines), detail) for detail in error.errors(include_url=False)]
    line, first = min(found, key=lambda item: item[0])
    where = _where(_loc(first)[:-1] if first["type"] in ("extra_forbidden", "missing") else _loc(first))
    return f"{place}:{line}: {where + ': ' if where else ''}{_said(first)}"


def _loc(detail: ErrorDetails) -> Place:
    return (*detail["loc"], *detail["ctx"]["at"]) if detail["type"] == "fault" else detail["loc"]


def _line(loc: Place, lines: dict[Place, int]) -> int:
    while loc and loc not in lines:
        loc = loc[:-1]
    return lines.get(loc, 1)


def _where(loc: Place) -> str:
    text = ""
    for step in loc:
        text += f"[{step}]" if isinstance(step, int) else f"{'.' if text else ''}{step}"
    return text


def _said(detail: ErrorDetails) -> str:
    kind, loc = detail["type"], detail["loc"]
    if kind == "extra_forbidden":
        return f"unknown key {loc[-1]!r}, expected one of {', '.join(_keys(loc[:-1]))}"
    if kind == "missing":
        return f"{loc[-1]} is missing"
    if kind in ("value_error", "fault"):
        return detail["msg"].removeprefix("Value error, ")
    return f"expected {_expected(detail)}, saw {_shown(detail)}"


def _expected(detail: ErrorDetails) -> str:
    """Pydantic's own words where they are plain enough."""
    kind = detail["type"]
    if kind == "literal_error":
        return f"one of {detail['ctx']['expected'].replace(' or ', ', ').replace(chr(39), '')}"
    known = {
        "string_pattern_mismatch": "a PCI address, as in 0000:3b:00.0",
        "too_short": "at least one, or no such key",
        "model_type": "keys and values",
        "tuple_type": "a list",
        "string_type": "one word",
    }
    return known.get(kind, detail["msg"].removeprefix("Input should be "))


def _shown(detail: ErrorDetails) -> str:
    text = repr(detail["input"])
    return text if len(text) <= 60 else text[:57] + "..."


def _keys(loc: Place) -> tuple[str, ...]:
    part = _PARTS[tuple(step for step in loc if isinstance(step, str))]
    return tuple(field.alias or name for name, field in part.model_fields.items())


def json_schema() -> dict[str, Any]:
    """JSON Schema (2020-12) of profile.yaml, for editors."""
    schema = Profile.model_json_schema(by_alias=True)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "hostagent profile",
        **{key: value for key, value in schema.items() if key != "title"},
    }
