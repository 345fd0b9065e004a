"""The file that node_exporter's textfile collector serves with its own metrics: text format 0.0.4 without timestamps.

node_exporter reads names that end in .prom, leaves a file out whole where it cannot parse it, and tells its age as
node_textfile_mtime_seconds. Its user is another than ours.
"""

from __future__ import annotations

from hostagent.publish.prometheus import text
from hostagent.report import NodeReport

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from prometheus_client.metrics_core import Metric as Family

MODE = 0o644


def textfile(report: NodeReport, more: Iterable[Family]) -> bytes:
    """The bytes of hostagent.prom; `more` families follow the report's."""
    return text(report, more)
