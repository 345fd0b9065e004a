"""`hostagent probe`: every format, every exit status."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from hostagent.cli import main
from hostagent.cli.probe import FORMATS, quick
from hostagent.cli.words import parser
from hostagent.host import Host
from hostagent.publish.prometheus import text as prometheus_text
from hostagent.report import AREAS, survey
from hostagent.schema import read_report
from hostagent.values.plain import plain
from tests.cli.run import hostagent
from tests.documented import report_schema
from tests.plant import pci_function, plant, unreadable
from tests.roots import roots


@pytest.fixture
def machine(tmp_path: Path) -> Path:
    return plant(tmp_path, pci_function("0000:00:01.0", id="8086:15E3", driver="e1000e") | {"proc/cmdline": "quiet\n"})


@pytest.mark.parametrize("kind", [stat.S_IFIFO, stat.S_IFSOCK])
def test_what_is_neither_file_nor_directory_is_not_opened(tmp_path: Path, kind: int) -> None:
    # Opening a FIFO nobody writes to would wait for ever.
    place = tmp_path / "odd"
    os.mknod(place, kind | 0o600)
    done = hostagent("probe", "--root", str(place))
    assert (done.status, done.out, done.err.count("\n")) == (2, "", 1)
    assert done.err.endswith(f"--root {place}: expected a directory or a capture.tar.gz\n")


def test_a_device_is_no_root() -> None:
    done = hostagent("probe", "--root", "/dev/null")
    assert (done.status, done.out) == (2, "")
    assert "--root /dev/null: expected a directory or a capture.tar.gz" in done.err


def test_json_is_the_report(machine: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["probe", "--root", str(machine), "-o", "json"]) == 0
    out, err = capsys.readouterr()
    expected = survey(Host(str(machine), redacted=True))
    assert json.loads(out) == plain(expected)
    assert read_report(out, "standard output") == expected
    assert err == ""


@pytest.mark.parametrize("root", roots())
def test_documents_of_every_machine(root: str, capsys: pytest.CaptureFixture[str]) -> None:
    said = {}
    for output in ("json", "yaml", "ansible", "labels"):
        assert main(["probe", "--root", root, "-o", output]) in (0, 3)
        said[output] = capsys.readouterr().out
    document = json.loads(said["json"])
    report_schema().validate(document)
    written = yaml.load(said["yaml"], Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    # Two surveys of the running machine end at two times.
    assert [one.pop("about", {}).get("node") for one in (written, document)] == [
        os.uname().nodename if root == "/" else None
    ] * 2
    assert written == document
    facts = json.loads(said["ansible"])
    assert {name: facts[name] for name in AREAS} == {name: document[name]["data"] for name in AREAS}
    assert all(name.isidentifier() for name in facts["labels"])
    # No two labels become one fact.
    assert len(facts["labels"]) == len(said["labels"].splitlines())


def test_yaml_quotes_what_other_readers_take_for_a_number(machine: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["probe", "--root", str(machine), "-o", "yaml"])
    assert "device_id: '15e3'\n" in capsys.readouterr().out


def test_labels_are_lines(machine: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["probe", "--root", str(machine), "-o", "labels", "--only", "pci"]) == 0
    assert capsys.readouterr() == ("hostagent.io/pci-8086-15e3.count=1\n", "")


def test_prom_is_the_exposition(machine: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["probe", "--root", str(machine), "-o", "prom"]) == 0
    assert capsys.readouterr().out == prometheus_text(survey(Host(str(machine)))).decode()


def test_ansible_facts_have_labels_under_names_that_jinja_takes(
    machine: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["probe", "--root", str(machine), "-o", "ansible", "--only", "pci"]) == 0
    found = json.loads(capsys.readouterr().out)
    report = survey(Host(str(machine)), frozenset({"pci"}))
    assert report.pci is not None
    assert found == {
        "schema_version": 2,
        "complete": True,
        "labels": {"pci_8086_15e3_count": "1"},
        "pci": plain(report.pci.data),
    }


def test_only_looks_at_what_is_named(machine: Path, capsys: pytest.CaptureFixture[str]) -> None:
    unreadable(machine, "sys/bus/pci/devices/0000:00:01.0/numa_node")
    others = [name for name in AREAS if name != "pci"]
    if others:
        main(["probe", "--root", str(machine), "-o", "json", "--only", others[0]])
        found = json.loads(capsys.readouterr().out)
        assert [name for name in AREAS if found[name] is not None] == others[:1]
    assert main(["probe", "--root", str(machine), "-o", "json", "--only", "pci"]) == 3
    found = json.loads(capsys.readouterr().out)
    assert [name for name in AREAS if found[name] is not None] == ["pci"]


@pytest.mark.parametrize("output", FORMATS)
def test_a_problem_is_status_3_in_every_format(output: str, machine: Path, capsys: pytest.CaptureFixture[str]) -> None:
    unreadable(machine, "sys/bus/pci/devices/0000:00:01.0/numa_node")
    assert main(["probe", "--root", str(machine), "-o", output, "--only", "pci"]) == 3
    out, err = capsys.readouterr()
    assert out
    assert err == ""


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--only", "pci,dns"], f"hostagent: --only: no area 'dns'; expected some of {', '.join(AREAS)}\n"),
        (["--only", ""], f"hostagent: --only: no area ''; expected some of {', '.join(AREAS)}\n"),
        (["--root", "/nonexistent"], "hostagent: --root /nonexistent: No such file or directory"),
        (["--root", "/etc/passwd"], "hostagent: --root /etc/passwd: "),
        (["--root", "/dev/null"], "hostagent: --root /dev/null: "),
    ],
)
def test_bad_input_is_one_line_and_status_2(words: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["probe", *words]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith(message)
    assert err.count("\n") == 1


def test_a_root_without_a_machine_is_status_2(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["probe", "--root", str(tmp_path)]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err == f"hostagent: --root {tmp_path}: holds neither sys nor proc; expected the root of a machine\n"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--ouput", "json"], "unrecognized arguments: --ouput json (see hostagent --help)"),
        (["-o", "xml"], "argument -o/--output: invalid choice: 'xml' (choose from "),
        (["-o"], "argument -o/--output: expected one argument (see hostagent probe --help)"),
        (["stray"], "unrecognized arguments: stray (see hostagent --help)"),
        (["--root"], "argument --root: expected one argument (see hostagent probe --help)"),
    ],
)
def test_a_wrong_command_line_is_one_line_and_status_2(
    words: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["probe", *words]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith(f"hostagent: {message}")
    assert err.count("\n") == 1


_WORDS = st.sampled_from(
    [
        "--root",
        "--only",
        "-o",
        "--output",
        "--out",
        "json",
        "yaml",
        "xml",
        "/",
        "-",
        "--",
        "pci",
        "-ojson",
        "--root=/",
        "-h",
        "",
    ]
)


@given(st.lists(_WORDS, max_size=6))
def test_the_quick_way_says_what_argparse_says(words: list[str]) -> None:
    found = quick(words)
    if found is not None:
        slow = parser("probe").parse_args(["probe", *words])
        assert (found.root, found.only, found.output) == (slow.root, slow.only, slow.output)


def test_plain_options_take_the_quick_way() -> None:
    assert quick(["--root", "/x", "-o", "json", "--only", "pci"]) is not None
    assert quick([]) is not None


def test_a_reader_that_goes_away_is_status_141(machine: Path) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    done = hostagent("probe", "--root", str(machine), "-o", "json", stdout=writing)
    os.close(writing)
    assert (done.status, done.err) == (141, "")


def test_a_full_disk_is_status_4() -> None:
    with Path("/dev/full").open("wb") as full:
        done = hostagent("probe", "-o", "json", "--only", "pci", stdout=full.fileno())
    assert (done.status, done.err) == (4, "hostagent: standard output: No space left on device\n")


def test_output_is_utf8_whatever_the_locale(tmp_path: Path) -> None:
    root = plant(tmp_path, pci_function("0000:00:01.0", driver="größe"))
    done = hostagent(
        "probe", "--root", str(root), "-o", "json", "--only", "pci", environment={"PYTHONIOENCODING": "latin-1"}
    )
    assert json.loads(done.out)["pci"]["data"]["functions"][0]["driver"] == "größe"
