"""What a scraper asked for: format, compression, and which collectors.

Prometheus 2 asks for metrics with

    Accept: application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,
            text/plain;version=0.0.4;q=0.5,*/*;q=0.1

and Prometheus 3 adds `escaping=` and text/plain version 1.0.0. We have two formats: text 0.0.4 and OpenMetrics
1.0.0 (https://prometheus.io/docs/instrumenting/content_negotiation/). Metric names are plain ASCII, so `escaping` changes
nothing. A client that accepts neither gets text 0.0.4, as from every exporter; there is no 406.
"""

from __future__ import annotations

from collections.abc import Iterable

from hostagent.daemon.http_message import BadQueryError

TEXT = "text/plain; version=0.0.4; charset=utf-8"
OPENMETRICS = "application/openmetrics-text; version=1.0.0; charset=utf-8"

Item = tuple[str, dict[str, str], float]


def accept_items(header: str) -> list[Item]:
    """The comma-separated items of an Accept-like header: (value, parameters, q), all lower-case.

    >>> accept_items("gzip;q=0.5, *")
    [('gzip', {}, 0.5), ('*', {}, 1.0)]
    """
    items: list[Item] = []
    for part in header.lower().split(","):
        value, *rest = (piece.strip() for piece in part.split(";"))
        if not value:
            continue
        parameters = {}
        for piece in rest:
            name, _, text = piece.partition("=")
            parameters[name.strip()] = text.strip().strip('"')
        items.append((value, parameters, _quality(parameters.pop("q", "1"))))
    return items


def _quality(text: str) -> float:
    """A q value in [0, 1]; what is not a decimal number counts as 0: the client did not say it wants it."""
    whole, _, fraction = text.partition(".")
    if not (whole + fraction).isascii() or not (whole + fraction).isdigit():
        return 0.0
    return min(float(f"{whole or '0'}.{fraction or '0'}"), 1.0)


def exposition(accept: str | None) -> str:
    """The content type to answer with: OPENMETRICS where the client likes it at least as much as text, else TEXT."""
    items = accept_items(accept or "")
    openmetrics = _liking(items, ("application/openmetrics-text",), "1.0.0")
    text = _liking(items, ("text/plain", "text/*", "*/*"), "0.0.4")
    if openmetrics <= 0 or openmetrics < text:
        return TEXT
    return OPENMETRICS


def _liking(items: Iterable[Item], ranges: tuple[str, ...], version: str) -> float:
    """The q of the most specific range that covers a format; 0 where none does."""
    found: dict[str, float] = {}
    for value, parameters, quality in items:
        if value in ranges and parameters.get("version", version) == version:
            found[value] = max(quality, found.get(value, 0.0))
    return next((found[name] for name in ranges if name in found), 0.0)


def accepts_gzip(accept_encoding: str | None) -> bool:
    """Whether gzip is acceptable and not liked less than no compression (RFC 9110, 12.5.3)."""
    qualities = {value: quality for value, _, quality in accept_items(accept_encoding or "")}
    anything = qualities.get("*", 0.0)
    gzip = qualities.get("gzip", qualities.get("x-gzip", anything))
    identity = qualities.get("identity", 0.0)
    return gzip > 0 and gzip >= identity


def selected(query: Iterable[tuple[str, str]], known: frozenset[str]) -> frozenset[str]:
    """The collectors `collect[]=` and `exclude[]=` leave, as in node_exporter: all where neither is given.

    Both together, or a name that is not known, is a BadQueryError. Other parameters are not ours and are passed over.
    """
    pairs = tuple(query)
    collect = frozenset(value for name, value in pairs if name == "collect[]")
    exclude = frozenset(value for name, value in pairs if name == "exclude[]")
    if collect and exclude:
        raise BadQueryError("collect[] and exclude[] cannot be combined")
    if unknown := sorted((collect | exclude) - known):
        names = ", ".join(repr(name) for name in unknown)
        raise BadQueryError(f"unknown collector {names}; known: {', '.join(sorted(known))}")
    return collect or known - exclude
