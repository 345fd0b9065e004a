"""Man page and completions: up to date, readable by man, and completing in a real shell."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from hostagent.cli import main
from hostagent.cli.entry import COMMANDS, HIDDEN, STATUSES
from hostagent.cli.man import man_page
from hostagent.cli.shipped import PAGES, files
from hostagent.profile import Profile
from hostagent.settings import Settings
from tests.roots import REPOSITORY

MAN = "docs/man/hostagent.8"


def test_they_are_up_to_date(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["shipped", str(REPOSITORY), "--check"]) == 0, f"run `hostagent shipped .`: {capsys.readouterr().err}"


def test_stale_ones_are_named_and_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for path in files():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(REPOSITORY / path, tmp_path / path)
    (tmp_path / MAN).write_text("old")
    assert main(["shipped", str(tmp_path), "--check"]) == 1
    assert capsys.readouterr() == ("", f"hostagent: {tmp_path / MAN} is out of date\n")
    assert main(["shipped", str(tmp_path)]) == 0
    assert (tmp_path / MAN).read_text() == man_page()


def test_another_directory_is_status_2(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["shipped", str(tmp_path)]) == 2
    assert capsys.readouterr().err == f"hostagent: {tmp_path}/docs/man: expected a directory\n"


def test_the_man_page_has_every_command_and_status_and_nothing_of_the_project_itself() -> None:
    text = man_page()
    assert all(f"\n.SH hostagent {name}\n" in text for name in COMMANDS)
    assert not any(f"hostagent {name}" in text for name in HIDDEN)
    assert "usage:" not in text
    synopsis = text.partition(".SH SYNOPSIS\n")[2].partition(".SH ")[0]
    assert all(f".B hostagent {name}\n" in synopsis for name in COMMANDS)
    assert ".B hostagent explain\n[CODE ...]\n" in synopsis
    assert text.partition(".SH OPTIONS\n")[2].startswith(".TP\n.B \\-h, \\-\\-help\n")
    exits = text.partition(".SH EXIT STATUS\n")[2].partition(".SH ")[0]
    assert exits.count(".TP\n.B ") == len(STATUSES)


@pytest.mark.parametrize(("page", "model"), [("config", Settings), ("profile", Profile)])
def test_every_key_is_on_its_page_and_said_to_mean_something(page: str, model: type[Settings | Profile]) -> None:
    text = PAGES[f"docs/man/hostagent-{page}.5"]()
    schema = model.model_json_schema()
    keys = [key for part in (schema, *schema["$defs"].values()) for key in part["properties"]]
    rows = [row.split("\n", 1) for row in text.partition(".SH KEYS\n")[2].partition(".SH ")[0].split(".TP\n.B ")[1:]]
    assert sorted(name.removesuffix("[]").rpartition(".")[2] for name, _ in rows) == sorted(keys)
    assert [name for name, meaning in rows if len(meaning) < 10 or meaning.startswith(("default", "one of"))] == []


def test_time_spans_are_written_as_the_file_has_them() -> None:
    text = PAGES["docs/man/hostagent-config.5"]()
    assert ".B timing.quiet\nsurvey when no event has come for this long; default: 250ms\n" in text
    assert "default: 10min\n" in text.partition(".B sinks.nfd.expiry\n")[2].partition(".TP")[0]


@pytest.mark.skipif(shutil.which("man") is None, reason="no man found: install the package man-db")
@pytest.mark.parametrize("page", PAGES)
def test_man_reads_it_without_a_warning(page: str) -> None:
    words = ["man", "--warnings", "-E", "UTF-8", "-l", "-Tutf8", "-Z", str(REPOSITORY / page)]
    environment = {"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8"}
    done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=300, env=environment)
    assert (done.returncode, done.stderr) == (0, "")


def _completed(*words: str) -> list[str]:
    """What bash offers after `hostagent WORDS`."""
    script = f"""
        source {REPOSITORY}/deploy/completions/hostagent.bash
        COMP_WORDS=(hostagent {" ".join(f"'{word}'" for word in words)})
        COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1))
        _shtab_hostagent
        printf '%s\\n' "${{COMPREPLY[@]}}"
    """
    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


def test_bash_completes_commands_options_and_choices() -> None:
    assert set(COMMANDS) <= set(_completed(""))
    assert not set(HIDDEN) & set(_completed(""))
    assert _completed("pro") == ["probe", "profile"]
    assert {"--root", "--only", "--output", "-o"} <= set(_completed("probe", "-"))
    assert "json" in _completed("probe", "-o", "j")


def test_bash_completes_codes_areas_and_every_target() -> None:
    assert _completed("explain", "kvm-m") == ["kvm-missing"]
    assert _completed("explain", "kvm-missing", "kvm-off") == ["kvm-off-in-firmware"]
    assert _completed("probe", "--only", "hug") == ["hugepages"]
    assert _completed("render", "modprobe", "dra") == ["dracut"]


@pytest.mark.skipif(shutil.which("fish") is None, reason="no fish found: install the package fish")
def test_fish_completes_with_descriptions_that_fit_a_line() -> None:
    script = f"source {REPOSITORY}/deploy/completions/hostagent.fish; complete -C 'hostagent WORDS'"
    found = {}
    for words in ("render ", "render modprobe ", "explain kvm-", "probe --only "):
        done = subprocess.run(
            ["fish", "--no-config", "-c", script.replace("WORDS", words)],
            capture_output=True, text=True, check=False, timeout=300,
        )  # fmt: skip
        assert (done.returncode, done.stderr) == (0, "")
        found[words] = done.stdout.splitlines()
    offered = {words: {line.split("\t")[0] for line in lines} for words, lines in found.items()}
    assert {"modprobe", "dracut"} <= offered["render "]
    assert "dracut" in offered["render modprobe "]
    assert "kvm-missing" in offered["explain kvm-"]
    assert "hugepages" in offered["probe --only "]
    assert max(len(line) for lines in found.values() for line in lines) < 200


ZSH = """\
zmodload zsh/zpty
zpty shell zsh -f -i
zpty -w shell "PS1=; unsetopt zle_bracketed_paste; fpath=(FOLDER \\$fpath); autoload -Uz compinit; compinit -D -u; LISTMAX=10000"
zpty -w shell "zstyle ':completion:*' menu no; bindkey '^I' complete-word; compdef _hostagent hostagent; print READY-\\$((1+1))"
zpty -r shell seen '*READY-2*'
zpty -w -n shell $'hostagent WORDS\t'
sleep 1
zpty -w -n shell $'\\C-a\\C-kprint END-$((1+1))\n'
zpty -r shell seen '*END-2*'
print -r -- $seen
"""


@pytest.mark.skipif(shutil.which("zsh") is None, reason="no zsh found: install the package zsh")
@pytest.mark.parametrize(
    ("words", "whole"),
    [
        ("render modprobe dra", "dracut"),
        ("explain kvm-missing kvm-of", "kvm-off-in-firmware"),
        ("probe --only hug", "hugepages"),
    ],
)
def test_zsh_completes_every_argument(words: str, whole: str) -> None:
    script = ZSH.replace("FOLDER", str(REPOSITORY / "deploy/completions")).replace("WORDS", words)
    done = subprocess.run(["zsh", "-f", "-c", script], capture_output=True, text=True, check=False, timeout=300)
    assert whole in done.stdout.replace("\x08", ""), done.stdout + done.stderr


@pytest.mark.parametrize(("shell", "name"), [("zsh", "_hostagent"), ("fish", "hostagent.fish")])
def test_other_shells_can_parse_theirs(shell: str, name: str) -> None:
    program = shutil.which(shell)
    if program is None:
        pytest.skip(f"no {shell} found: install the package {shell}")
    path = REPOSITORY / "deploy" / "completions" / name
    done = subprocess.run([program, "-n", str(path)], capture_output=True, text=True, check=False, timeout=300)
    assert (done.returncode, done.stderr) == (0, "")
