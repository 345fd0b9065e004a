"""The agent's own configuration, /etc/hostagent/config.yaml: keys, their defaults and what is refused. Reads no file.

Everything has a default, so an absent file is a whole configuration. Unknown keys are refused. Scalars arrive as the text that
was written (`daemon.configured` says on which line); time spans are seconds here and `250ms`, `30s`, `10min` there:

    labels:
      prefix: hostagent.example.org
      pciClasses: ["02", "0300"]
    sinks:
      textfile:
        enabled: true
        path: /var/lib/node_exporter/hostagent.prom
    timing:
      interval: 30s
    web:
      listen: ["127.0.0.1:10346", "[::1]:10346"]
      config: /etc/hostagent/web.yml
    profile: /etc/hostagent/profile.yaml
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema, model_validator
from pydantic.alias_generators import to_camel

from hostagent.values.duration import parse_seconds
from hostagent.values.labels import is_prefix
from hostagent.values.listen import host_port, unix_path

PATH = "/etc/hostagent/config.yaml"
FEATURES_D = "/etc/kubernetes/node-feature-discovery/features.d"
PORT = 10346
WRITTEN, WHERE = "whether it is written", "where it is"


def _fault(expected: str, seen: object) -> ValueError:
    return ValueError(f"expected {expected}, saw {seen!r}")


def _seconds(value: Any) -> float:
    text = str(value).strip()
    number = text[:-2].rstrip() if text.endswith("ms") else ""
    if number.isascii() and number.isdigit() and len(number) <= 9:
        return int(number) / 1000
    seconds = parse_seconds(text)
    if seconds is None:
        raise _fault("a time span, as in 250ms, 30s or 10min", value)
    return float(seconds)


def _truth(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    if value not in ("true", "false"):
        raise _fault("true or false", value)
    return bool(value == "true")


def _prefix(value: Any) -> str:
    text = str(value)
    if not is_prefix(text):
        raise _fault("a DNS subdomain in lower case, as in hostagent.io", value)
    if text in ("kubernetes.io", "k8s.io") or text.endswith((".kubernetes.io", ".k8s.io")):
        # NFD's master takes no labels there, and the API server keeps both for Kubernetes itself.
        raise _fault("a prefix of your own: kubernetes.io and k8s.io are Kubernetes'", value)
    return text


def _pci_class(value: Any) -> str:
    text = str(value).lower()
    if len(text) not in (2, 4, 6) or not set(text) <= set("0123456789abcdef"):
        raise _fault("two, four or six hex digits of a PCI class, in quotes, as in '0302'", value)
    return text


def _flag(value: Any) -> str:
    text = str(value)
    if not text.isascii() or not text.replace("_", "").isalnum() or text != text.lower() or len(text) > 40:
        raise _fault("a flag of /proc/cpuinfo, as in avx512f", value)
    return text


def _path(value: Any) -> str:
    text = str(value)
    if not text.startswith("/") or text.endswith("/") or not text.isprintable():
        raise _fault("an absolute path of a file", value)
    return text


def _address(value: Any) -> Any:
    try:
        _ = not isinstance(value, str) or unix_path(value) or host_port(value)
    except ValueError as error:
        raise ValueError(f"{error}, saw {value!r}") from error
    return value


def _node(value: Any) -> str:
    text = str(value)
    if not is_prefix(text):
        raise _fault("the name of a node, as in worker-3.example.org", value)
    return text


def _schema(**said: Any) -> WithJsonSchema:
    return WithJsonSchema({"type": "string", **said})


Seconds = Annotated[float, BeforeValidator(_seconds), _schema(pattern="^[0-9]+ *[a-z]*")]
Truth = Annotated[bool, BeforeValidator(_truth)]
Prefix = Annotated[str, BeforeValidator(_prefix), _schema(maxLength=253)]
PciClass = Annotated[str, BeforeValidator(_pci_class), _schema(pattern="^([0-9a-fA-F]{2}){1,3}$")]
CpuFlag = Annotated[str, BeforeValidator(_flag), _schema(pattern="^[a-z0-9_]+$")]
NodeName = Annotated[str, BeforeValidator(_node), _schema(maxLength=253)]
ListenAddress = Annotated[str, BeforeValidator(_address), _schema()]
FilePath = Annotated[str, BeforeValidator(_path), _schema(pattern="^/")]


class Part(BaseModel):
    """What all parts share."""

    model_config = ConfigDict(frozen=True, extra="forbid", alias_generator=to_camel, validate_by_name=False)


class Labels(Part):
    """Which labels, and under which name."""

    prefix: Prefix = Field(default="hostagent.io", description="what stands before the slash of every label")
    pci_classes: tuple[PciClass, ...] | None = Field(
        default=None, description="class IDs, or their first digits, of the PCI functions that get labels"
    )
    cpu_features: tuple[CpuFlag, ...] | None = Field(
        default=None, description="flags of /proc/cpuinfo that get a label"
    )


class NfdSink(Part):
    """The feature file that Node Feature Discovery's worker reads."""

    enabled: Truth = Field(default=True, description=WRITTEN)
    path: FilePath = Field(default=f"{FEATURES_D}/hostagent", description="a name that does not start with a dot")
    expiry: Annotated[Seconds, Field(ge=60)] = Field(
        default=600,
        description="labels live this long after a survey last confirmed them, which happens twice as often",
    )

    @model_validator(mode="after")
    def _is_seen(self) -> NfdSink:
        if self.path.rpartition("/")[2].startswith("."):
            raise ValueError("path: NFD skips files whose name starts with a dot")
        return self


class ReportSink(Part):
    """The survey as JSON (docs/report.schema.json), for programs on this node."""

    enabled: Truth = Field(default=True, description=WRITTEN)
    path: FilePath = Field(default="/run/hostagent/report.json", description=WHERE)


class TextfileSink(Part):
    """Metrics for node_exporter's textfile collector, where no port is wanted."""

    enabled: Truth = Field(default=False, description=WRITTEN)
    path: FilePath = Field(
        default="/var/lib/prometheus/node-exporter/hostagent.prom", description="a name that ends in .prom"
    )

    @model_validator(mode="after")
    def _is_seen(self) -> TextfileSink:
        if not self.path.endswith(".prom"):
            raise ValueError("path: node_exporter reads files that end in .prom only")
        return self


class Sinks(Part):
    """Files that are written when something changed."""

    nfd: NfdSink = NfdSink()
    report: ReportSink = ReportSink()
    textfile: TextfileSink = TextfileSink()


class Timing(Part):
    """When to look."""

    quiet: Annotated[Seconds, Field(gt=0, le=60)] = Field(
        default=0.25, description="survey when no event has come for this long"
    )
    bound: Annotated[Seconds, Field(gt=0, le=60)] = Field(
        default=1.0, description="survey this long after the first event, even while more of them come"
    )
    interval: Annotated[Seconds, Field(ge=1, le=86400)] | None = Field(
        default=None,
        description="look this often without any event, since pools and KSM send none (default: every minute, and more rarely "
        "where that would cost more than a thousandth of a processor)",
    )

    @model_validator(mode="after")
    def _ordered(self) -> Timing:
        if self.bound < self.quiet:
            raise ValueError("bound: expected no less than quiet")
        return self


class Web(Part):
    """The HTTP server."""

    listen: tuple[ListenAddress, ...] = Field(
        default=(f"127.0.0.1:{PORT}",),
        description="host:port, [ipv6]:port, :port for all interfaces, unix:/path; an empty list for no server",
    )
    config: FilePath | None = Field(
        default=None, description="TLS and passwords, in the format of the Prometheus exporters"
    )


class Log(Part):
    """What goes to standard error."""

    level: Literal["debug", "info", "warning", "error"] = Field(default="info", description="what is worth a line")


class Settings(Part):
    """The whole file."""

    labels: Labels = Labels()
    sinks: Sinks = Sinks()
    timing: Timing = Timing()
    web: Web = Web()
    log: Log = Log()
    profile: FilePath | None = Field(default=None, description="what the node is to be: findings are published too")
    node: NodeName | None = Field(
        default=None,
        description="what the profile and reports call this node (default: NODE_NAME of the environment, else its host name)",
    )
