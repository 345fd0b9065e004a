"""The front door: help, version, and what stops a command."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from hostagent import __version__
from hostagent.cli import main
from hostagent.cli.entry import COMMANDS, HIDDEN, STATUSES
from tests.cli.run import REPOSITORY, hostagent


def test_help_names_every_command_and_status(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(["--help"])
    assert stopped.value.code == 0
    out = " ".join(capsys.readouterr().out.split())
    assert all(f" {name} {about}" in out for name, about in COMMANDS.items())
    assert all(f"{status} {meaning}" in out for status, meaning in STATUSES)
    assert not [name for name in HIDDEN if f" {name} " in out]


@pytest.mark.parametrize("name", [*COMMANDS, *HIDDEN])
def test_every_command_has_help_with_its_statuses(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main([name, "--help"])
    assert stopped.value.code == 0
    out = capsys.readouterr().out
    assert out.startswith(f"usage: hostagent {name} ")
    assert "exit status:" in out


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(["--version"])
    assert stopped.value.code == 0
    assert capsys.readouterr().out == f"hostagent {__version__}\n"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ([], "hostagent: the following arguments are required: COMMAND (see hostagent --help)\n"),
        (["prob"], "hostagent: argument COMMAND: invalid choice: 'prob' (choose from "),
    ],
)
def test_a_missing_or_unknown_command_is_one_line(
    words: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(words) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith(message)
    assert err.count("\n") == 1


def test_schema_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["schema"]) == 0
    assert capsys.readouterr().out.startswith('{\n  "$schema": "https://json-schema.org/draft/2020-12/schema",\n')


def test_closed_standard_output_is_no_accident() -> None:
    words = f'exec "{sys.executable}" -m hostagent probe --only pci -o json >&-'
    done = subprocess.run(["sh", "-c", words], cwd=REPOSITORY, capture_output=True, check=False, timeout=300)
    assert (done.returncode, done.stderr) == (0, b"")


def test_the_page_goes_to_a_closed_output_too() -> None:
    words = f'exec "{sys.executable}" -m hostagent probe --only pci >&-'
    done = subprocess.run(["sh", "-c", words], cwd=REPOSITORY, capture_output=True, check=False, timeout=300)
    assert (done.returncode, done.stderr) == (0, b"")


def test_interrupted_is_status_130(tmp_path: Path) -> None:
    # A full pipe holds the command in its write; nobody reads it.
    (tmp_path / "sys").mkdir()
    devices = tmp_path / "sys/bus/pci/devices"
    for number in range(300):
        place = devices / f"0000:{number // 32:02x}:{number % 32:02x}.0"
        place.mkdir(parents=True)
        (place / "uevent").write_text("PCI_CLASS=20000\nPCI_ID=8086:10D3\nPCI_SUBSYS_ID=8086:0000\n")
    process = subprocess.Popen(
        # What runs the tests may ignore SIGINT (nohup, a background job), and Python then leaves it so.
        [
            *("env", "--default-signal=INT", sys.executable, "-m", "hostagent"),
            *("probe", "--root", str(tmp_path), "-o", "json", "--only", "pci"),
        ],
        cwd=REPOSITORY,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdout is not None
    process.stdout.read(1)
    time.sleep(0.2)
    process.send_signal(signal.SIGINT)
    assert process.wait(timeout=300) == 130
    assert process.stderr is not None
    assert process.stderr.read() == b""
    process.stdout.close()
    process.stderr.close()


def test_words_without_a_module_are_not_commands() -> None:
    assert hostagent("entry").status == 2


def test_diagnostics_do_not_go_to_standard_output_where_there_is_no_other() -> None:
    command = f"exec {sys.executable} -m hostagent probe --root /nowhere 2>&-"
    done = subprocess.run(["sh", "-c", command], capture_output=True, check=False)
    assert (done.returncode, done.stdout) == (2, b"")
