"""The report as node labels: full keys, values that the API server takes.

Hardware writes its own names, and the Kubernetes grammar (63 letters of `[A-Za-z0-9_.-]` between alphanumerics) is narrow.
A value is made to fit: other letters become `_`, ends are trimmed, the rest is cut. A key is never changed, because a
changed key is another fact: where it does not fit the label is left out and named in `dropped`, and so is a label whose
value has no letter that fits. An empty value that an area means to be empty stays.
"""

from __future__ import annotations

from hostagent.area import LabelOptions
from hostagent.assess.readiness import readiness
from hostagent.publish.judged import labels
from hostagent.report import DEFAULT_LABEL_OPTIONS, NodeReport
from hostagent.values.labels import fitted, is_name, is_prefix
from hostagent.values.record import record

PREFIX = "hostagent.io"


@record
class NodeLabels:
    """(full key, value) in order of key; `dropped`: the names, without prefix, of what the grammar has no room for."""

    labels: tuple[tuple[str, str], ...]
    dropped: tuple[str, ...]


def node_labels(
    report: NodeReport, *, prefix: str = PREFIX, options: LabelOptions = DEFAULT_LABEL_OPTIONS
) -> NodeLabels:
    """The labels of a node. Raises ValueError for a prefix that is not a DNS subdomain."""
    if not is_prefix(prefix):
        msg = f"label prefix {prefix!r} is not a DNS subdomain such as {PREFIX}"
        raise ValueError(msg)
    return fit(labels(report, readiness(report), options), prefix=prefix)


def fit(names: dict[str, str], *, prefix: str = PREFIX) -> NodeLabels:
    """Names without prefix and any values, as labels. `prefix` is valid."""
    kept, dropped = [], []
    for name, said in sorted(names.items()):
        value = fitted(said)
        if is_name(name) and (value or not said):
            kept.append((f"{prefix}/{name}", value))
        else:
            dropped.append(name)
    return NodeLabels(labels=tuple(kept), dropped=tuple(dropped))
