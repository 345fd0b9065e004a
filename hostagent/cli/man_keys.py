"""hostagent-config(5) and hostagent-profile(5): every key of the two files, out of the models that read them."""

from __future__ import annotations

from hostagent import __version__
from hostagent.cli.roff import heading, item, paragraph
from hostagent.values.record import record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

# What both models call a time span; their defaults are seconds.
_SPAN = "^[0-9]+ *[a-z]*"


@record
class Page:
    """What a page says beside the keys."""

    name: str
    about: str
    path: str
    words: str
    example: str
    also: str


_CONFIG_WORDS = """\
What `hostagent run` goes by. Every key has a default: a file that is not there is a whole configuration. Unknown keys are refused
with their line. SIGHUP (systemctl reload hostagent) reads the file again; one that cannot be used changes nothing. web.listen and
web.config count from the next start. Time spans are written 250ms, 30s, 10min. Under systemd, a sinks.*.path in a place of your
own needs that place in ReadWritePaths= of the unit.
"""
_PROFILE_WORDS = """\
What the nodes of a role are to offer to guests. `hostagent profile init` writes a first one, `hostagent check` says what is in
the way of it, `hostagent render` writes the files. Unknown keys are refused with their line. Keys after devices[] and
hugepages.pools[] are those of one entry of a list.
"""
CONFIG = Page(
    name="hostagent-config",
    about="settings of the agent",
    path="/etc/hostagent/config.yaml",
    words=_CONFIG_WORDS,
    example="labels:\n  prefix: hostagent.example.org\nsinks:\n  textfile: {enabled: true}\n",
    also="hostagent (8), hostagent\\-profile (5)",
)
PROFILE = Page(
    name="hostagent-profile",
    about="what a virtualization host is to be",
    path="/etc/hostagent/profile.yaml",
    words=_PROFILE_WORDS,
    example="platform: {name: debian}\ndevices:\n  - id: 10de:1eb8\nhugepages:\n  pools:\n    - {size: 1G, count: 16}\n",
    also="hostagent (8), hostagent\\-config (5)",
)


def config_page() -> str:
    """hostagent-config(5)."""
    from hostagent.settings import Settings

    return _page(CONFIG, Settings.model_json_schema())


def profile_page() -> str:
    """hostagent-profile(5)."""
    from hostagent.profile import Profile

    return _page(PROFILE, Profile.model_json_schema())


def _page(page: Page, schema: dict[str, Any]) -> str:
    name = page.name.replace("-", "\\-")
    text = f'.TH {page.name.upper()} "5" "" "hostagent {__version__}" "File formats"\n'
    text += f"{heading('NAME')}{name} \\- {page.about}\n{heading('SYNOPSIS')}.I {page.path}\n"
    text += heading("DESCRIPTION") + paragraph(page.words.rstrip())
    text += heading("KEYS") + "".join(_items(schema, schema["$defs"], ""))
    text += f"{heading('EXAMPLE')}.nf\n{paragraph(page.example.rstrip())}.fi\n"
    return text + heading("SEE ALSO") + "".join(f".BR {one}\n" for one in page.also.split(", "))


def _items(part: dict[str, Any], parts: dict[str, Any], before: str) -> Iterator[str]:
    """The keys of one mapping, each before those inside it."""
    for key, said in part["properties"].items():
        inside, entries = _inside(said, parts)
        name = f"{before}{key}{'[]' if entries else ''}"
        about = said.get("description") or (None if inside is None else inside["description"].rstrip("."))
        needed = "needed" if key in part.get("required", ()) else None
        yield item(name, "; ".join(word for word in (about, _values(said), needed) if word))
        if inside is not None:
            yield from _items(inside, parts, f"{name}.")


def _inside(said: dict[str, Any], parts: dict[str, Any]) -> tuple[dict[str, Any] | None, bool]:
    """The mapping that a key holds, and whether it holds a list of them."""
    for way in (said, *said.get("anyOf", ())):
        entries = "$ref" in way.get("items", {})
        target = way["items"] if entries else way
        if "$ref" in target:
            return parts[target["$ref"].rpartition("/")[2]], entries
    return None, False


def _values(said: dict[str, Any]) -> str | None:
    """The words that may stand there, and the default."""
    found = [f"one of {', '.join(said['enum'])}"] if "enum" in said else []
    default = said.get("default")
    if isinstance(default, bool):
        found.append(f"default: {str(default).lower()}")
    elif isinstance(default, int | float):
        found.append(f"default: {_span(default) if said.get('pattern') == _SPAN else default}")
    elif isinstance(default, str):
        found.append(f"default: {default}")
    elif isinstance(default, list | tuple) and default:
        found.append(f"default: {', '.join(str(one) for one in default)}")
    return "; ".join(found) or None


def _span(seconds: float) -> str:
    if seconds < 1:
        return f"{seconds * 1000:.0f}ms"
    return f"{seconds:.0f}s" if seconds % 60 else f"{seconds / 60:.0f}min"
