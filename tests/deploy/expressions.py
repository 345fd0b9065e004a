"""What PromQL expressions speak of, without a parser: metric names, and the labels they match or join on."""

from __future__ import annotations

import re

from hostagent.area import Metric
from hostagent.daemon.metrics import COUNTERS, GAUGES
from hostagent.daemon.verdict import FINDING
from hostagent.publish.prometheus import declared

NODE_EXPORTER = {"node_boot_time_seconds": set[str](), "node_textfile_mtime_seconds": {"file"}}
# Of the scraper, of prometheus-client's process collector, which the agent serves too, and of node_exporter.
FOREIGN = {"up", "process_start_time_seconds", "process_resident_memory_bytes", *NODE_EXPORTER}
TARGET = {"job", "instance"}

_METRIC = re.compile(r"\b((?:hostagent|process|node)_[a-z0-9_]+|up)\b(?:\{([^}]*)\})?")
_MATCHER = re.compile(r"(\w+)\s*(?:=~|!~|!=|=)")
_GROUPING = re.compile(r"\b(?:on|by|group_left)\s*\(([^)]*)\)")


def agent_metrics() -> dict[str, Metric]:
    """Every metric that the running agent declares, by name."""
    return {metric.name: metric for metric in (*declared(), *GAUGES, *COUNTERS, FINDING)}


def without_strings(expression: str) -> str:
    """Regexes and label values hold braces and words that mean nothing here."""
    return re.sub(r'"[^"]*"', '""', expression)


def mentioned(expression: str) -> list[tuple[str, set[str]]]:
    """(metric, labels matched) in the order written."""
    found = _METRIC.findall(without_strings(expression))
    return [(name, set(_MATCHER.findall(matchers))) for name, matchers in found]


def faults(expression: str) -> list[str]:
    """What an expression speaks of that the agent does not have."""
    known = agent_metrics()
    wrong, labels = [], set(TARGET)
    for name, matched in mentioned(expression):
        if name not in known and name not in FOREIGN:
            wrong.append(f"no metric {name}")
            continue
        have = TARGET | (set(known[name].labels) if name in known else NODE_EXPORTER.get(name, set()))
        labels |= have
        wrong += [f"{name} has no label {label}" for label in sorted(matched - have)]
    labels |= set(re.findall(r'label_replace\(.*?,\s*"(\w+)"', expression, re.DOTALL))
    for group in _GROUPING.findall(without_strings(expression)):
        wrong += [f"nothing has the label {word}" for word in re.findall(r"\w+", group) if word not in labels]
    return wrong
