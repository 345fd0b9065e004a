"""The pools Linux makes of a command line, from what its parameters do to the kernel's variables: counters, not requests.

Written from the behaviour of mm/hugetlb.c (6.14) in order to hold `hugepage_requests` to it; it shares no code with it.
"""

from __future__ import annotations

from hostagent.values.cmdline import Parameter

Pools = dict[tuple[int, int | None], int]


class Hugetlb:
    def __init__(self, sizes: set[int], nodes: set[int], default: int) -> None:
        self.sizes, self.nodes, self.default = sizes, nodes, default
        self.states: list[int] = []  # sizes in the order they were added
        self.maximum: dict[object, int] = {"implicit": 0}
        self.of_node: dict[object, dict[int, int]] = {"implicit": {}}
        self.valid, self.chosen, self.parsed, self.last = True, False, -1, object()

    def add(self, size: int) -> None:
        if size in self.states:
            return
        self.states.append(size)
        self.maximum[size], self.of_node[size] = 0, {}
        self.parsed = size

    def hugepagesz(self, size: int) -> None:
        self.valid = False
        if size not in self.sizes:
            return
        if size in self.states:
            if not self.chosen or size != self.default or self.maximum[self.default]:
                return
            self.parsed = size
        else:
            self.add(size)
        self.valid = True

    def default_hugepagesz(self, size: int) -> None:
        self.valid = False
        if self.chosen or size not in self.sizes:
            return
        self.add(size)
        self.valid = self.chosen = True
        self.default = size
        if self.maximum["implicit"]:
            self.maximum[size] = self.maximum["implicit"]
            self.of_node[size].update({k: v for k, v in self.of_node["implicit"].items() if v})
            self.maximum["implicit"] = 0

    def hugepages(self, value: str) -> None:
        if not self.valid:
            self.valid = True
            return
        target: object = self.parsed if self.states else "implicit"
        if target == self.last:
            return
        if ":" not in value.split(",", maxsplit=1)[0]:
            digits = value.split(",", maxsplit=1)[0]
            if value and not digits.isdigit():
                self.maximum[target], self.of_node[target] = 0, {}
                return
            if value:
                self.maximum[target] = int(digits)
        else:
            for pair in filter(None, value.split(",")):
                node, colon, pages = pair.partition(":")
                if not (colon and node.isdigit() and pages.isdigit() and int(node) in self.nodes):
                    self.maximum[target], self.of_node[target] = 0, {}
                    return
                self.of_node[target][int(node)] = int(pages)
                self.maximum[target] += int(pages)
        self.last = target

    def pools(self, parameters: tuple[Parameter, ...]) -> Pools:
        """(page size, node or None) -> pages the kernel will try to allocate there; zeroes left out."""
        for name, value in parameters:
            size = {"2M": 2 << 20, "1G": 1 << 30}.get(value or "", 0)
            if name == "hugepages":
                self.hugepages(value or "")
            else:
                getattr(self, name)(size)
        if not self.chosen:
            self.add(self.default)
            if self.maximum["implicit"]:
                self.maximum[self.default] = self.maximum["implicit"]
                self.of_node[self.default] = self.of_node["implicit"]
        found: Pools = {}
        for size in self.states:
            nodes = {node: pages for node, pages in self.of_node[size].items() if pages}
            if nodes:
                found |= {(size, node): pages for node, pages in nodes.items()}
            elif self.maximum[size]:
                found[size, None] = self.maximum[size]
        return found
