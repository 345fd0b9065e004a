"""Where the parts of a YAML text stand, so that some of them can be exchanged and the rest left alone."""

from __future__ import annotations

from collections.abc import Iterator

import yaml

from hostagent.render.files import RenderError

Edit = tuple[int, int, str]  # from, to, what stands there instead
Data = tuple[str, str] | list["Data"] | dict[str, "Data"]  # a scalar with its tag, a list, a mapping

_PLACE = "resource"


def parsed(text: str) -> yaml.MappingNode:
    """The one mapping in the text. Aliases are refused: a part that stands elsewhere cannot be edited here."""
    if any(end in text.replace("\r\n", "\n") for end in "\r\x85\u2028\u2029"):
        raise RenderError(_PLACE, "expected lines that end in a line feed")
    try:
        root = yaml.compose(text, yaml.SafeLoader)
        aliased = any(isinstance(token, yaml.AliasToken) for token in yaml.scan(text, yaml.SafeLoader))
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        where = f" at line {mark.line + 1}" if mark else ""
        raise RenderError(_PLACE, f"expected one YAML document; {error.problem}{where}") from error
    except (yaml.YAMLError, RecursionError) as error:
        raise RenderError(_PLACE, f"expected YAML; {error}") from error
    if aliased:
        raise RenderError(_PLACE, "expected YAML without aliases (*name)")
    if not isinstance(root, yaml.MappingNode):
        raise RenderError(_PLACE, "expected a mapping with apiVersion and kind")
    return root


def fields(node: yaml.Node) -> Iterator[tuple[str, yaml.Node]]:
    """The members of a mapping; nothing for another node."""
    if isinstance(node, yaml.MappingNode):
        for key, child in node.value:
            if isinstance(key, yaml.ScalarNode):
                yield key.value, child


def at(root: yaml.Node, path: tuple[str, ...]) -> yaml.Node | None:
    """The node behind the keys of `path`, or None."""
    node = root
    for key in path:
        found = [child for name, child in fields(node) if name == key]
        if len(found) > 1:
            raise RenderError(_PLACE, f"{key} is given twice, again at line {found[1].start_mark.line + 1}")
        if not found:
            return None
        node = found[0]
    return node


def is_hollow(node: yaml.Node) -> bool:
    """Whether the node is null, `{}`, `[]` or nothing at all."""
    return node.tag == "tag:yaml.org,2002:null" if isinstance(node, yaml.ScalarNode) else not node.value


def data(node: yaml.Node) -> Data:
    """What the node says, without where or in which style."""
    if isinstance(node, yaml.MappingNode):
        return {repr(data(key)): data(child) for key, child in node.value}
    if isinstance(node, yaml.SequenceNode):
        return [data(child) for child in node.value]
    return (node.tag, node.value)


def replaced_at(root: Data, path: tuple[str, ...], leaf: Data) -> Data:
    """`root` with `leaf` at the end of `path`, whose keys are made where they are missing or null."""
    if not path:
        return leaf
    members = root if isinstance(root, dict) else {}
    key = repr(("tag:yaml.org,2002:str", path[0]))
    return members | {key: replaced_at(members.get(key, {}), path[1:], leaf)}


def applied(text: str, edits: list[Edit]) -> str:
    """The text after all edits, whose spans do not overlap."""
    for start, end, new in sorted(edits, reverse=True):
        text = text[:start] + new + text[end:]
    return text


def line_span(text: str, first: int, last: int) -> tuple[int, int]:
    """From where line `first` begins to where the line after `last` begins."""
    starts = [0, *(index + 1 for index, letter in enumerate(text) if letter == "\n")]
    return starts[first], starts[min(last + 1, len(starts) - 1)]


def item_lines(text: str, node: yaml.Node) -> tuple[int, int]:
    """First and last line of an item of a block sequence, from its dash on."""
    before = text[: node.start_mark.index].rstrip()
    line = before.rpartition("\n")[2]
    if line.strip() != "-":
        where = f"line {node.start_mark.line + 1}"
        raise RenderError(_PLACE, f"{where}: expected each item of the list on lines of its own, behind '- '")
    first = before.count("\n")
    return first, max(first, last_line(node))


def last_line(node: yaml.Node) -> int:
    """The last line that belongs to the node; the parser counts comments and blank lines behind it, too."""
    if isinstance(node, yaml.MappingNode) and not node.flow_style:
        return max(max(last_line(key), last_line(child)) for key, child in node.value)
    if isinstance(node, yaml.SequenceNode) and not node.flow_style:
        return max(last_line(child) for child in node.value)
    if node.start_mark.index == node.end_mark.index:
        return 0  # nothing at all stands behind the key: the parser puts it where the next word begins
    end = node.end_mark
    return int(end.line - 1 if end.column == 0 else end.line)


def after_key(text: str, root: yaml.Node, path: tuple[str, ...]) -> int:
    """The place behind the colon of the last key of `path`."""
    parent = at(root, path[:-1])
    assert isinstance(parent, yaml.MappingNode)
    key = next(key for key, _ in parent.value if key.value == path[-1])
    return text.index(":", key.end_mark.index) + 1
