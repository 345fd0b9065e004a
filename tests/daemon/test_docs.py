"""docs/daemon.md names every key of the settings, with its default where that is one word."""

from __future__ import annotations

from collections.abc import Iterator

from pydantic import BaseModel

from hostagent.settings import Settings
from tests.cli.run import REPOSITORY


def keys(model: type[BaseModel], prefix: str = "") -> Iterator[str]:
    for name, field in model.model_fields.items():
        key = f"{prefix}{field.alias or name}"
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            yield from keys(field.annotation, f"{key}.")
        else:
            yield key


def test_every_key_is_documented() -> None:
    text = (REPOSITORY / "docs/daemon.md").read_text()
    rows = [row.split(" | ")[0].lstrip("| ") for row in text.splitlines() if row.startswith("| `")]
    documented = set()
    for row in rows:
        words = [word.strip("`, ") for word in row.split()]
        base = words[0].rpartition(".")[0]
        documented |= {base + word if word.startswith(".") else word for word in words}
    assert set(keys(Settings)) <= documented
