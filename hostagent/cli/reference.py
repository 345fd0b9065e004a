"""docs/{cli,labels,metrics,report}.md and docs/{report,profile}.schema.json, each made of what the code declares."""

from __future__ import annotations

import argparse

from hostagent.cli.entry import COMMANDS, STATUSES
from hostagent.cli.findings import findings_text
from hostagent.cli.markdown import table
from hostagent.cli.profile import schema_text as profile_schema_text
from hostagent.cli.reference_report import report_text
from hostagent.cli.schema import schema_text
from hostagent.cli.words import parser
from hostagent.daemon.metrics import COUNTERS, GAUGES
from hostagent.daemon.verdict import FINDING, LABEL_DOCS
from hostagent.publish.judged import label_docs
from hostagent.publish.judged import metrics as metrics_of
from hostagent.publish.labels import PREFIX
from hostagent.publish.prometheus import OWN
from hostagent.report import AREAS, DEFAULT_LABEL_OPTIONS

MADE = "<!-- Generated from the code by `hostagent docs docs`. -->\n"


def documents() -> dict[str, str]:
    """File name to content."""
    return {
        "cli.md": cli_text(),
        "findings.md": MADE + findings_text(),
        "labels.md": labels_text(),
        "metrics.md": metrics_text(),
        "report.md": MADE + report_text(),
        "report.schema.json": schema_text(),
        "profile.schema.json": profile_schema_text(),
    }


def cli_text() -> str:
    """The commands, their options, formats and exit statuses."""
    text = f"{MADE}# The command line\n\n{_CLI}\n## Exit status\n\n"
    text += table(("status", "meaning"), ((str(status), meaning) for status, meaning in STATUSES))
    for name, about in COMMANDS.items():
        text += f"\n## hostagent {name}\n\n{about[0].upper()}{about[1:]}.\n"
        rows = [_option(action) for action in _actions(name)]
        if rows:
            text += "\n" + table(("argument", "meaning"), rows)
        text += _MORE.get(name, "")
    return text


def _actions(name: str) -> list[argparse.Action]:
    subparsers = next(a for a in parser(name)._actions if isinstance(a, argparse._SubParsersAction))  # noqa: SLF001 - as shtab and sphinx-argparse do
    part = subparsers.choices[name]
    return [action for action in part._actions if not isinstance(action, argparse._HelpAction)]  # noqa: SLF001


def _option(action: argparse.Action) -> tuple[str, str]:
    values = "{" + ",".join(str(choice) for choice in action.choices) + "}" if action.choices else None
    shown = action.metavar or values or action.dest.upper()
    value = "" if action.nargs == 0 else str(shown)
    name = ", ".join(action.option_strings)
    meaning = (action.help or "").replace("%(default)s", str(action.default))
    return f"`{' '.join(part for part in (name, value) if part)}`", meaning


def labels_text() -> str:
    """Every label key an area can yield."""
    text = f"{MADE}# Node labels\n\n{_LABELS}"
    for area in AREAS.values():
        if docs := label_docs(area):
            rows = ((f"`{doc.key}`", doc.values, doc.meaning) for doc in docs)
            text += f"\n## {area.name}: {area.about}\n\n" + table(("key", "values", "meaning"), rows)
    rows = ((f"`{doc.key}`", doc.values, doc.meaning) for doc in LABEL_DOCS)
    return text + "\n## The profile, where `hostagent run` is given one\n\n" + table(("key", "values", "meaning"), rows)


def metrics_text() -> str:
    """Every metric family an area can have, and those of the survey itself."""
    text = f"{MADE}# Metrics\n\n{_METRICS}"
    own = ("the survey itself", OWN)
    agent = ("the agent: findings, files, wake-ups and requests (`hostagent run`)", (FINDING, *GAUGES, *COUNTERS))
    for title, metrics in (own, *((f"{area.name}: {area.about}", metrics_of(area)) for area in AREAS.values()), agent):
        if metrics:
            rows = ((f"`{m.name}`", ", ".join(f"`{label}`" for label in m.labels), m.help) for m in metrics)
            text += f"\n## {title[0].upper() if title in (own[0], agent[0]) else title[0]}{title[1:]}\n\n"
            text += table(("metric", "labels", "meaning"), rows)
    return text


_CLI = """\
Data goes to standard output, always in UTF-8; what concerns the run goes to standard error. Bad input is one line that
names the place and what was expected. Every command says in `--help` what it takes.
"""

_MORE = {
    "probe": """
`--root` takes the root of a machine (a directory with `sys` and `proc`: `/host` in a container, an unpacked image) or an
archive that `hostagent capture` wrote. Nothing outside of it is read. `--only` limits the survey to some areas; the others
are null in the report.

People paste `json`, `yaml` and `ansible`, so these are redacted, as captures and the agent's /report.json are: kernel
arguments and module options that no judgement reads, names of disks, pools, servers, units and directories, and MAC
addresses in names of links become `[redacted]` or pseudonyms such as `/dev/mapper/[redacted-1]` and `enxmac1`, the same
wherever a name stands; judgements about them are the same. `--unredacted` shows all, for oneself; the table always does.

| format | what it is for |
| --- | --- |
| `table` | people: devices in their IOMMU groups, pools, CPU, watchdogs, and at the end what could not be read |
| `json` | programs: [report.md](report.md), [report.schema.json](report.schema.json); stable within one `schema_version` |
| `yaml` | the same document in YAML |
| `labels` | `key=value` lines, see [labels.md](labels.md) |
| `prom` | Prometheus text format, see [metrics.md](metrics.md); a node_exporter textfile takes it |
| `ansible` | one JSON object of facts: the output of `/etc/ansible/facts.d/hostagent.fact`, read as `ansible_local.hostagent` |

Of the running machine, `json` and `yaml` say in `about` which `node` it is (`--node-name`, else `NODE_NAME`, else the host name,
which is not redacted), when it was `surveyed_at`, and in which `boot` (a hash that changes with each start). It is not compared;
there is none where `--root` is a capture or another machine's tree. `check` and `render` say on standard error where
reports given with `--report` are of one node, or older than a week.

In `ansible` facts, `complete` is false where something could not be read, `labels` holds the node labels with `.` and `-` of
their names as `_` (`ansible_local.hostagent.labels.iommu_enabled`), and each area's data stands under its name.

The table is coloured on terminals. `NO_COLOR` turns colour off; `CLICOLOR_FORCE` or `FORCE_COLOR` turns it on anywhere else;
`CLICOLOR=0` and `TERM=dumb` keep it off. Its width is `COLUMNS`, else that of the terminal, else 200.
""",
    "check": """
With a profile (`--profile`, or `profile.yaml` here or in /etc/hostagent) it is said what blocks what the profile asks for;
without, or with `--generic`, what is in the way of guests in general, and of devices that somebody has configured or bound
for them. What each finding means stands in [findings.md](findings.md). The status is 1 where a node has a blocker, 3 where
none has and something could not be read that might hide one, 0 where every node is ready. A profile that names a device no
node has is bad input: status 2.

| format | what it is for |
| --- | --- |
| `table` | people |
| `json` | programs: `ready`; `findings` and `problems` of each of `nodes`; `roles` where one configuration does not fit all |
| `junit` | CI: a suite for each node, a case for each code; blockers fail, warnings and notes are the case's output |
""",
    "allocatable": """
`--permitted` takes a HyperConverged (v1beta1 or v1) or KubeVirt resource, a list that holds one, or permittedHostDevices by
itself, in YAML or JSON. In JSON each resource has `kubevirt` (what KubeVirt will count), `usable` (what a guest can have),
`devices` and `why`; reports of several nodes give an object of nodes. PCI devices only: mediated and USB devices are left
out, and it is said that they are.
""",
}

_LABELS = f"""\
Keys carry the prefix `{PREFIX}/`. A fact that the host does not say has no label. Values are made to fit the Kubernetes
grammar: other letters become `_`, ends are trimmed to alphanumerics, the rest is cut at 63. A key is never changed; a label whose
key does not fit, or whose value has no letter that fits, is left out, and `hostagent probe -o labels` says so on standard error.

PCI classes counted by default: {", ".join(f"`{name}`" for name in DEFAULT_LABEL_OPTIONS.pci_classes)}. CPU flags by default:
{", ".join(f"`{name}`" for name in DEFAULT_LABEL_OPTIONS.cpu_features)}.
"""

_METRICS = """\
All are gauges, but those whose name ends in `_total`, which are counters. A fact that the host does not say has no
series: no zero, no -1. `address` is the PCI address as the kernel writes it. Info metrics are always 1 and are joined by
their labels, for example with node_exporter's:

```promql
hostagent_pci_device_driver_info * on (instance, address) group_left (vendor_id, device_id) hostagent_pci_device_info
```
"""
