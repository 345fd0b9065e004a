"""Formats of `probe` for other programs, besides JSON. Each gives (text, remarks for standard error)."""

from __future__ import annotations

from hostagent.report import NodeReport, surveyed
from hostagent.values.plain import json_text, plain

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def as_yaml(document: Any) -> tuple[str, tuple[str, ...]]:
    """The JSON document as YAML that every reader reads alike."""
    import yaml

    # The C writer where PyYAML was built with libyaml: 10 times as fast.
    class Dumper(getattr(yaml, "CSafeDumper", yaml.SafeDumper)):  # type: ignore[misc]
        """Quotes what YAML 1.2 would read as a number: PyYAML writes the device ID 15e3 bare, and Go reads 15000."""

    def string(dumper: yaml.SafeDumper, text: str) -> yaml.Node:
        quoted = not text[:1].isalpha() or len(text) == 1
        return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="'" if quoted else None)

    Dumper.add_representer(str, string)
    return yaml.dump(plain(document), Dumper=Dumper, sort_keys=False, allow_unicode=True, width=120), ()


def as_labels(report: NodeReport) -> tuple[str, tuple[str, ...]]:
    """`key=value` lines, as `kubectl label node` takes them."""
    from hostagent.publish.labels import node_labels

    found = node_labels(report)
    remarks = tuple(f"label {name!r} left out: it does not fit the Kubernetes grammar" for name in found.dropped)
    return "".join(f"{key}={value}\n" for key, value in found.labels), remarks


def as_prom(report: NodeReport) -> tuple[bytes, tuple[str, ...]]:
    """Prometheus text, as node_exporter's textfile collector takes it."""
    from hostagent.publish.prometheus import text

    return text(report), ()


def as_ansible(report: NodeReport) -> tuple[str, tuple[str, ...]]:
    """One object for /etc/ansible/facts.d/hostagent.fact: playbooks read it as `ansible_local.hostagent`."""
    from hostagent.publish.labels import node_labels

    # Jinja's dots want identifiers: ansible_local.hostagent.labels.iommu_enabled
    labels = {_identifier(key.partition("/")[2]): value for key, value in node_labels(report).labels}
    facts: dict[str, Any] = {
        "schema_version": report.schema_version,
        "complete": all(not probed.problems for _, probed in surveyed(report)),
        "labels": labels,
    }
    for area, probed in surveyed(report):
        facts[area.name] = plain(probed.data)
    return json_text(facts), ()


def _identifier(name: str) -> str:
    return name.replace("-", "_").replace(".", "_")
