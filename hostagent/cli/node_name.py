"""What this node is called where nothing names it better."""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse


def add_node_name(parser: argparse.ArgumentParser) -> None:
    """Add `--node-name`."""
    parser.add_argument(
        "--node-name", metavar="NAME", help="what this node is called (default: $NODE_NAME, else the host name)"
    )


def node_name(given: str | None) -> str:
    """The name given, else that of the environment (a pod's, by the downward API), else the host's."""
    return given or os.environ.get("NODE_NAME") or os.uname().nodename
