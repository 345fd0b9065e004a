"""A HyperConverged or KubeVirt resource with our permitted devices brought up to date, everything else as it was.

The text is edited in place, not parsed and written anew: comments, order, quotes and what other people listed stay as
they are, in YAML of either style and in JSON. An entry is ours if its resource name is one that we own; ours that are
no longer wanted go, wanted ones that are missing are added behind the last. The result is read again, and if anything
but those entries differs, the edit is refused.
"""

from __future__ import annotations

import json

import yaml

from hostagent.render import outline
from hostagent.render.files import RenderError
from hostagent.render.outline import Edit
from hostagent.render.permitted import Permitted, check_apart, checked, item
from hostagent.render.yaml import Value, lines
from hostagent.values.kubevirt import PCI_LIST, PERMITTED
from hostagent.values.record import record


@record
class Change:
    """Positions in the list that go, and entries, as the resource writes them, that come."""

    dropped: frozenset[int]
    added: tuple[dict[str, str | bool], ...]


def updated(text: str, *, wanted: tuple[Permitted, ...], owned: frozenset[str]) -> str:
    """`text` offering `wanted`, and of the resource names in `owned` nothing else; unchanged if that is so already."""
    root = outline.parsed(text)
    path, selector = _kind(root)
    path = (*path, PCI_LIST)
    listed = outline.at(root, path)
    entries = listed.value if isinstance(listed, yaml.SequenceNode) else []
    change = _change(entries, checked(wanted), owned, selector)
    if not change.dropped and not change.added:
        return text
    text = text if text.endswith("\n") else text + "\n"
    if isinstance(listed, yaml.SequenceNode) and listed.value:
        edits = _flow(text, listed, change) if listed.flow_style else _block(text, root, path, change)
    else:
        edits = _new(text, root, path, change)
    result = outline.applied(text, edits)
    kept = [outline.data(node) for number, node in enumerate(entries) if number not in change.dropped]
    added = [outline.data(outline.parsed(json.dumps(entry))) for entry in change.added]
    if not _says(result, outline.replaced_at(outline.data(root), path, [*kept, *added])):
        raise RenderError("resource", f"{'.'.join(path)} is laid out in a way that cannot be edited safely")
    return result


def _says(text: str, expected: outline.Data) -> bool:
    try:
        return outline.data(outline.parsed(text)) == expected
    except RenderError:
        return False


def _kind(root: yaml.MappingNode) -> tuple[tuple[str, ...], str]:
    nodes = (outline.at(root, (key,)) for key in ("apiVersion", "kind"))
    version, kind = (str(node.value) if isinstance(node, yaml.ScalarNode) else "" for node in nodes)
    if (version, kind) not in PERMITTED:
        expected = ", ".join(" ".join(known) for known in PERMITTED)
        raise RenderError("resource", f"apiVersion {version!r}, kind {kind!r}: expected one of {expected}")
    return PERMITTED[version, kind]


def _change(nodes: list[yaml.Node], wanted: tuple[Permitted, ...], owned: frozenset[str], selector: str) -> Change:
    missing = {(entry.selector.lower(), entry.resource): entry for entry in wanted}
    dropped: set[int] = set()
    foreign: list[tuple[int, Permitted]] = []
    for number, node in enumerate(nodes):
        fields = {key: child.value for key, child in outline.fields(node) if isinstance(child.value, str)}
        if selector not in fields or "resourceName" not in fields:
            continue
        external = fields.get("externalResourceProvider", "").lower() == "true"
        there = Permitted(selector=fields[selector], resource=fields["resourceName"], external=external)
        entry = missing.get((there.selector.lower(), there.resource))
        disabled = fields.get("disabled", "").lower() == "true"
        if entry is not None and entry.external == external and not disabled:
            del missing[there.selector.lower(), there.resource]
        elif there.resource in owned:
            dropped.add(number)
        else:
            foreign.append((number, there))
    for entry in missing.values():
        for number, there in foreign:
            check_apart(f"{PCI_LIST}[{number}], which is not ours", entry, there)
    return Change(dropped=frozenset(dropped), added=tuple(_plain(entry, selector) for entry in missing.values()))


def _plain(entry: Permitted, selector: str) -> dict[str, str | bool]:
    return {key: value for key, value in item(entry, selector).items() if isinstance(value, str | bool)}


def _flow(text: str, listed: yaml.SequenceNode, change: Change) -> list[Edit]:
    kept = [
        text[node.start_mark.index : node.end_mark.index]
        for number, node in enumerate(listed.value)
        if number not in change.dropped
    ]
    whole = ", ".join([*kept, *map(json.dumps, change.added)])
    return [(listed.start_mark.index, listed.end_mark.index, f"[{whole}]")]


def _block(text: str, root: yaml.MappingNode, path: tuple[str, ...], change: Change) -> list[Edit]:
    listed = outline.at(root, path)
    assert isinstance(listed, yaml.SequenceNode)
    spans = [outline.item_lines(text, node) for node in listed.value]
    edits: list[Edit] = [
        (*outline.line_span(text, *span), "") for number, span in enumerate(spans) if number in change.dropped
    ]
    if change.added:
        column = text.split("\n")[spans[0][0]].index("-")
        _, end = outline.line_span(text, *spans[-1])
        edits.append((end, end, _text(lines(change.added, column, sort=False))))
    elif len(change.dropped) == len(spans):
        after = outline.after_key(text, root, path)
        edits.append((after, after, " []"))
    return edits


def _new(text: str, root: yaml.MappingNode, path: tuple[str, ...], change: Change) -> list[Edit]:
    """Edits that make the list where there is none, with as much of the way to it as is missing."""
    depth = 0
    found = outline.at(root, path[:1])
    while depth < len(path) - 1 and isinstance(found, yaml.MappingNode) and found.value:
        depth += 1
        found = outline.at(root, path[: depth + 1])
    parent = outline.at(root, path[:depth])
    assert isinstance(parent, yaml.MappingNode)
    inner: Value = change.added
    for key in path[:depth:-1]:
        inner = {key: inner}
    if found is not None:
        return _filled(text, found, outline.after_key(text, root, path[: depth + 1]), inner, parent)
    if parent.flow_style:
        start = text.index("{", parent.start_mark.index) + 1
        return [(start, start, json.dumps({path[depth]: inner})[1:-1] + ", ")]
    _, end = outline.line_span(text, 0, outline.last_line(parent))
    return [(end, end, _text(lines({path[depth]: inner}, parent.start_mark.column, sort=False)))]


def _filled(text: str, hollow: yaml.Node, after: int, inner: Value, parent: yaml.MappingNode) -> list[Edit]:
    """Edits that put `inner` in the place of null, `{}`, `[]` or nothing behind a colon at `after`."""
    if not outline.is_hollow(hollow):
        line = hollow.start_mark.line + 1
        raise RenderError("resource", f"line {line}: expected a mapping on the way to {PCI_LIST}, which is a list")
    start, end = hollow.start_mark.index, hollow.end_mark.index
    if start != end and (parent.flow_style or "\n" in text[after:start]):
        return [(start, end, json.dumps(inner))]
    if parent.flow_style:
        return [(after, after, f" {json.dumps(inner)}")]
    span = (after, end) if start != end else (after, after)
    below = text.index("\n", after) + 1
    return [(*span, ""), (below, below, _text(lines(inner, parent.start_mark.column + 2, sort=False)))]


def _text(found: list[str]) -> str:
    return "".join(f"{line}\n" for line in found)
