"""The feature file of Node Feature Discovery: labels that die with their agent.

NFD's worker reads every file of /etc/kubernetes/node-feature-discovery/features.d whose name starts with no dot, and makes a node
label of each line. It ignores files of more than 64 KiB whole, and drops what follows an expiry time that has passed (https://kubernetes-sigs.github.io/node-feature-discovery/stable/usage/customization-guide.html):

    # +expiry-time=2026-11-22T15:04:05Z
    hostagent.io/iommu.enabled=true
"""

from __future__ import annotations

import time

from hostagent.publish.labels import NodeLabels
from hostagent.values.record import record

LIMIT = 65536
MODE = 0o644  # the worker's pod reads it as another user


@record
class FeatureFile:
    """`body`: the labels that fit, without the expiry line. `left_out`: keys there was no room for."""

    body: bytes
    left_out: tuple[str, ...]


def feature_file(labels: NodeLabels) -> FeatureFile:
    """The lines of a node's labels. The last in order of key are left out where NFD would refuse the whole file."""
    room = LIMIT - len(expiry_line(0.0))
    lines: list[str] = []
    left_out: list[str] = []
    for key, value in labels.labels:
        line = f"{key}={value}\n"
        room -= len(line)
        if room < 0 or left_out:
            left_out.append(key)
        else:
            lines.append(line)
    return FeatureFile(body="".join(lines).encode("ascii"), left_out=tuple(left_out))


def expiry_line(expires: float) -> bytes:
    """The first line; `expires` in seconds since 1970. NFD takes RFC 3339, and an unreadable time for none at all."""
    return time.strftime("# +expiry-time=%Y-%m-%dT%H:%M:%SZ\n", time.gmtime(expires)).encode("ascii")
