"""config.yaml: everything optional, nothing unknown, errors with their line."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hostagent.daemon.configured import ConfigError, Said, configured, parsed
from hostagent.host.limits import CONFIGURED_BYTES as LIMIT
from hostagent.settings import PATH, Settings
from hostagent.values.record import replaced

NOTHING = Said(config=None, profile=None, listen=None, web_config=None, log_level=None, sinks=None, node_name=None)


def said(**words: object) -> Said:
    return replaced(NOTHING, **words)


@pytest.mark.parametrize(
    ("told", "node"),
    [
        (("a", "node: b", "c"), "a"),
        ((None, "node: b", "c"), "b"),
        ((None, "", "c"), "c"),
        ((None, "", None), os.uname().nodename),
    ],
)
def test_the_name_of_the_node(
    told: tuple[str | None, str, str | None],
    node: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The command line, the settings, the environment of a pod, the host."""
    given, settings, environment = told
    monkeypatch.delenv("NODE_NAME", raising=False)
    if environment is not None:
        monkeypatch.setenv("NODE_NAME", environment)
    config = tmp_path / "config.yaml"
    config.write_text(settings)
    assert configured(said(config=str(config), node_name=given)).node == node


WHOLE = """\
labels:
  prefix: hostagent.example.org
  pciClasses: ["02", "0300"]
  cpuFeatures: [avx512f]
sinks:
  nfd: {enabled: false}
  report: {path: /tmp/report.json}
  textfile:
    enabled: true
    path: /var/lib/node_exporter/hostagent.prom
timing: {quiet: 500ms, bound: 2s, interval: 5min}
web:
  listen: ["[::1]:10346", "unix:/run/hostagent/web.sock"]
  config: /etc/hostagent/web.yml
log: {level: debug}
profile: /etc/hostagent/profile.yaml
node: worker-3.example.org
"""


def test_everything_said() -> None:
    found = parsed(WHOLE.encode(), "c.yaml").model_dump()
    assert found == {
        "labels": {"prefix": "hostagent.example.org", "pci_classes": ("02", "0300"), "cpu_features": ("avx512f",)},
        "sinks": {
            "nfd": Settings().sinks.nfd.model_dump() | {"enabled": False},
            "report": {"enabled": True, "path": "/tmp/report.json"},
            "textfile": {"enabled": True, "path": "/var/lib/node_exporter/hostagent.prom"},
        },
        "timing": {"quiet": 0.5, "bound": 2.0, "interval": 300.0},
        "web": {"listen": ("[::1]:10346", "unix:/run/hostagent/web.sock"), "config": "/etc/hostagent/web.yml"},
        "log": {"level": "debug"},
        "profile": "/etc/hostagent/profile.yaml",
        "node": "worker-3.example.org",
    }


@pytest.mark.parametrize("text", ["", "# nothing\n", "---\n", "labels:\n", "sinks: {}\n"])
def test_nothing_said_is_the_defaults(text: str) -> None:
    assert parsed(text.encode(), "c.yaml") == Settings()


def test_no_server_at_all() -> None:
    assert parsed(b"web: {listen: []}", "c.yaml").web.listen == ()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("\nsinks:\n  nfs: {}\n", "c.yaml:3: sinks: unknown key 'nfs', expected one of nfd, report, textfile"),
        ("spool: 1\n", "c.yaml:1: unknown key 'spool', expected one of labels, sinks, timing, web, log, profile, node"),
        (
            "labels: {pci_classes: [a]}",
            "c.yaml:1: labels: unknown key 'pci_classes', expected one of prefix, pciClasses, cpuFeatures",
        ),
        (
            "timing:\n  interval: soon\n",
            "c.yaml:2: timing.interval: expected a time span, as in 250ms, 30s or 10min, saw 'soon'",
        ),
        ("timing:\n  quiet: 0ms\n", "c.yaml:2: timing.quiet: expected greater than 0, saw '0ms'"),
        ("timing: {quiet: 3s, bound: 2s}", "c.yaml:1: timing: bound: expected no less than quiet"),
        (
            "labels:\n  prefix: Foo\n",
            "c.yaml:2: labels.prefix: expected a DNS subdomain in lower case, as in hostagent.io, saw 'Foo'",
        ),
        (
            "labels: {prefix: node.kubernetes.io}",
            "c.yaml:1: labels.prefix: expected a prefix of your own: kubernetes.io and k8s.io are Kubernetes', saw 'node.kubernetes.io'",  # noqa: E501
        ),
        (
            "labels:\n  pciClasses:\n    - '02'\n    - net\n",
            "c.yaml:4: labels.pciClasses.1: expected two, four or six hex digits of a PCI class, in quotes, as in '0302', saw 'net'",  # noqa: E501
        ),
        ("labels: {pciClasses: '02'}", "c.yaml:1: labels.pciClasses: expected a list, saw '02'"),
        (
            "labels: {cpuFeatures: [AVX]}",
            "c.yaml:1: labels.cpuFeatures.0: expected a flag of /proc/cpuinfo, as in avx512f, saw 'AVX'",
        ),
        ("sinks: {nfd: {enabled: yes}}", "c.yaml:1: sinks.nfd.enabled: expected true or false, saw 'yes'"),
        ("sinks: {nfd: {enabled: [true]}}", "c.yaml:1: sinks.nfd.enabled: expected true or false, saw ['true']"),
        (
            'sinks: {report: {path: "/\\ud800"}}',
            "c.yaml:1: sinks.report.path: expected an absolute path of a file, saw '/\\ud800'",
        ),
        ("sinks: {nfd: {path: /a/.b}}", "c.yaml:1: sinks.nfd: path: NFD skips files whose name starts with a dot"),
        (
            "sinks: {textfile: {path: /a/b}}",
            "c.yaml:1: sinks.textfile: path: node_exporter reads files that end in .prom only",
        ),
        (
            "sinks: {report: {path: report.json}}",
            "c.yaml:1: sinks.report.path: expected an absolute path of a file, saw 'report.json'",
        ),
        ("sinks: {nfd: {expiry: 5s}}", "c.yaml:1: sinks.nfd.expiry: expected greater than or equal to 60, saw '5s'"),
        ("sinks: [nfd]", "c.yaml:1: sinks: expected keys and values, saw ['nfd']"),
        ("web: {listen: {a: b}}", "c.yaml:1: web.listen: expected a list, saw {'a': 'b'}"),
        ("web: {listen: [[a]]}", "c.yaml:1: web.listen.0: expected one word, saw ['a']"),
        ("log: {level: loud}", "c.yaml:1: log.level: expected 'debug', 'info', 'warning' or 'error', saw 'loud'"),
        ("node: a b", "c.yaml:1: node: expected the name of a node, as in worker-3.example.org, saw 'a b'"),
        ("- a\n", "c.yaml:1: expected keys and values, some of labels, sinks, timing, web, log, profile, node"),
        ("log: {\n", "c.yaml:2: no YAML: expected the node content, but found '<stream end>'"),
        ("log: &a {}\nweb: *a\n", "c.yaml:1: expected plain values, no YAML anchors or aliases"),
        ("log: {}\nlog: {}\n", "c.yaml:2: key 'log' given twice, first on line 1"),
    ],
)
def test_refused_with_line_and_key(text: str, message: str) -> None:
    with pytest.raises(ConfigError) as refused:
        parsed(text.encode(), "c.yaml")
    assert str(refused.value) == message


def test_of_two_errors_the_first_line_is_named() -> None:
    with pytest.raises(ConfigError, match=r"c\.yaml:2: timing\.quiet"):
        parsed(b"timing:\n  quiet: x\nlog:\n  level: y\n", "c.yaml")


def test_no_utf8() -> None:
    with pytest.raises(ConfigError, match=r"c\.yaml:2: expected UTF-8 text"):
        parsed(b"log: {}\n\xff\n", "c.yaml")


@given(st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
def test_any_bytes_are_settings_or_an_error(content: bytes) -> None:
    try:
        assert isinstance(parsed(content, "c.yaml"), Settings)
    except ConfigError as error:
        assert str(error).startswith("c.yaml:")  # noqa: PT017 - both ends are right


def test_files_and_words(tmp_path: Path) -> None:
    (tmp_path / "c.yaml").write_text("log: {level: warning}\nweb: {listen: ['127.0.0.1:1']}\n")
    (tmp_path / "p.yaml").write_text("platform: {name: debian}\n")
    config = str(tmp_path / "c.yaml")
    plain = configured(said(config=config))
    assert (plain.settings.log.level, plain.settings.web.listen, plain.profile) == ("warning", ("127.0.0.1:1",), None)
    over = configured(
        said(
            config=config,
            profile=str(tmp_path / "p.yaml"),
            listen=(":2",),
            web_config="/w.yml",
            log_level="error",
            sinks=("textfile",),
        )
    )
    assert over.profile is not None
    assert over.profile.platform.name == "debian"
    assert (over.settings.web.listen, over.settings.web.config, over.settings.log.level) == ((":2",), "/w.yml", "error")
    sinks = over.settings.sinks
    assert (sinks.nfd.enabled, sinks.report.enabled, sinks.textfile.enabled) == (False, False, True)


@pytest.mark.skipif(Path(PATH).exists(), reason=f"{PATH} exists here")
def test_without_any_file() -> None:
    assert configured(NOTHING).settings == Settings()


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"absent\.yaml: No such file or directory"):
        configured(said(config=str(tmp_path / "absent.yaml")))
    (tmp_path / "large.yaml").write_bytes(b"#" * (LIMIT + 1))
    with pytest.raises(ConfigError, match=f"larger than {LIMIT} bytes"):
        configured(said(config=str(tmp_path / "large.yaml")))
    (tmp_path / "c.yaml").write_text("")
    (tmp_path / "p.yaml").write_text("platform: {name: beos}\n")
    with pytest.raises(ConfigError, match=r"p\.yaml:1: platform\.name: "):
        configured(said(config=str(tmp_path / "c.yaml"), profile=str(tmp_path / "p.yaml")))
