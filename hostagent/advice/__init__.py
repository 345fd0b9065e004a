"""(report, plan) -> findings: what blocks the node, with the file and value that prove it."""

from hostagent.advice.advise import advise, advised, blocked
from hostagent.advice.model import BLOCKER, NOTE, SEVERITIES, WARNING, Code, Finding, Remedy
from hostagent.advice.registry import CODES, PASSTHROUGH, TOPICS, Topic

__all__ = [
    "BLOCKER",
    "CODES",
    "NOTE",
    "PASSTHROUGH",
    "SEVERITIES",
    "TOPICS",
    "WARNING",
    "Code",
    "Finding",
    "Remedy",
    "Topic",
    "advise",
    "advised",
    "blocked",
]
