"""The configuration that holds: /etc/hostagent/config.yaml, the profile it names, and what the command line said over them.

    hostagent: /etc/hostagent/config.yaml:4: timing.interval: expected a time span, as in 250ms, 30s or 10min, saw 'soon'

A file that cannot be used is a ConfigError: at the start the agent does not start, at a reload the old configuration stays.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ValidationError

from hostagent.about import node_name
from hostagent.host.limits import CONFIGURED_BYTES as LIMIT
from hostagent.host.regular import TooLargeError
from hostagent.host.regular import content as content_of
from hostagent.profile import Profile, ProfileError, read_profile
from hostagent.profile.source import Place, SourceError, load
from hostagent.settings import PATH, Settings
from hostagent.values.record import record

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails


class ConfigError(Exception):
    """A file that cannot be used: its path, the line, the key, what was expected."""


@record
class Said:
    """What the command line said; None where it said nothing, and the file decides."""

    config: str | None
    profile: str | None
    listen: tuple[str, ...] | None
    web_config: str | None
    log_level: str | None
    sinks: tuple[str, ...] | None
    node_name: str | None


@record
class Configured:
    """What holds now. `profile` is None where none is given."""

    settings: Settings
    profile: Profile | None
    node: str


def configured(said: Said) -> Configured:
    """Read everything anew. Raises ConfigError."""
    settings = _over(_settings(said.config), said)
    profile = None if settings.profile is None else _profile(settings.profile)
    return Configured(settings=settings, profile=profile, node=node_name(said.node_name or settings.node))


def _settings(path: str | None) -> Settings:
    if path is None and not os.path.exists(PATH):
        return Settings()
    return parsed(_read(path or PATH), path or PATH)


def _over(settings: Settings, said: Said) -> Settings:
    """The settings with the command line's words put over them."""
    web = {"listen": said.listen, "config": said.web_config}
    over: dict[str, Any] = {
        "web": settings.web.model_copy(update={key: value for key, value in web.items() if value is not None})
    }
    if said.profile is not None:
        over["profile"] = os.path.abspath(said.profile)
    if said.log_level is not None:
        over["log"] = settings.log.model_copy(update={"level": said.log_level})
    if said.sinks is not None:
        parts = {name: getattr(settings.sinks, name) for name in type(settings.sinks).model_fields}
        chosen = {name: part.model_copy(update={"enabled": name in said.sinks}) for name, part in parts.items()}
        over["sinks"] = settings.sinks.model_copy(update=chosen)
    return settings.model_copy(update=over)


def _profile(path: str) -> Profile:
    try:
        return read_profile(_read(path), path)
    except ProfileError as error:
        raise ConfigError(str(error)) from error


def _read(path: str) -> bytes:
    try:
        return content_of(path, LIMIT)
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror}") from error
    except TooLargeError as error:
        raise ConfigError(f"{path}: larger than {LIMIT} bytes") from error


def parsed(content: bytes, path: str) -> Settings:
    """The settings in a file's bytes; `path` names it in errors. Raises ConfigError."""
    try:
        value, lines = load(content.decode())
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise ConfigError(f"{path}:{line}: expected UTF-8 text") from error
    except SourceError as error:
        raise ConfigError(f"{path}:{error.line}: {error}") from error
    if value is None:
        return Settings()
    if not isinstance(value, dict):
        raise ConfigError(f"{path}:1: expected keys and values, some of {', '.join(_keys(()))}")
    try:
        return Settings.model_validate(value)
    except ValidationError as error:
        details = error.errors(include_url=False)
        line, first = min(((_line(detail["loc"], lines), detail) for detail in details), key=lambda found: found[0])
        raise ConfigError(f"{path}:{line}: {_sentence(first)}") from error


def _line(place: Place, lines: dict[Place, int]) -> int:
    while place and place not in lines:
        place = place[:-1]
    return lines.get(place, 1)


def _sentence(detail: ErrorDetails) -> str:
    place, kind = detail["loc"], detail["type"]
    where = ".".join(str(step) for step in (place[:-1] if kind == "extra_forbidden" else place))
    start = f"{where}: " if where else ""
    if kind == "extra_forbidden":
        return f"{start}unknown key {place[-1]!r}, expected one of {', '.join(_keys(place[:-1]))}"
    if kind == "value_error":
        return start + detail["msg"].removeprefix("Value error, ")
    expected = {"model_type": "keys and values", "tuple_type": "a list", "string_type": "one word"}
    wanted = expected.get(kind, detail["msg"].removeprefix("Input should be "))
    return f"{start}expected {wanted}, saw {detail['input']!r:.60}"


def _keys(place: Place) -> tuple[str, ...]:
    """The keys that may stand at a place."""
    model: type[BaseModel] = Settings
    for step in place:
        found = next(field for name, field in model.model_fields.items() if step in (name, field.alias))
        assert isinstance(found.annotation, type)
        model = found.annotation
    return tuple(field.alias or name for name, field in model.model_fields.items())
