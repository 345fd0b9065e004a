"""deploy/install.sh into a directory: what it puts where, that systemd and man take it from there, and that it goes again."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from hostagent import __version__
from hostagent.cli.shipped import PAGES, files
from tests.roots import REPOSITORY

SCRIPT = REPOSITORY / "deploy" / "install.sh"
ANALYZE = shutil.which("systemd-analyze")


def _run(destination: Path, *words: str) -> subprocess.CompletedProcess[str]:
    given = {**os.environ, "DESTDIR": str(destination), "PYTHON": sys.executable}
    given.pop("PYTHONPATH", None)
    return subprocess.run([str(SCRIPT), *words], capture_output=True, text=True, check=False, timeout=300, env=given)


def _here(root: Path) -> set[str]:
    return {str(path.relative_to(root)) for path in root.rglob("*") if not path.is_dir() or path.is_symlink()}


def test_everything_that_is_shipped_is_installed_where_it_is_looked_for(tmp_path: Path) -> None:
    done = _run(tmp_path, "install", "--files")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    found = _here(tmp_path)
    assert {f"usr/lib/systemd/system/{path.name}" for path in (REPOSITORY / "systemd").glob("hostagent*.*")} <= found
    assert {f"usr/share/man/man{page[-1]}/{Path(page).name}" for page in PAGES} <= found
    assert found >= {
        "usr/lib/sysusers.d/hostagent.conf",
        "usr/lib/tmpfiles.d/hostagent.conf",
        "usr/share/bash-completion/completions/hostagent",
        "usr/share/fish/vendor_completions.d/hostagent.fish",
        "usr/share/zsh/site-functions/_hostagent",
    }
    assert len(found) == 5 + len(files()) + 2
    assert (tmp_path / "etc/hostagent").is_dir()


def test_debians_zsh_finds_its_completions(tmp_path: Path) -> None:
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc/debian_version").write_text("13.1\n")
    assert _run(tmp_path, "install", "--files").returncode == 0
    assert (tmp_path / "usr/share/zsh/vendor-completions/_hostagent").exists()


@pytest.mark.skipif(ANALYZE is None, reason="systemd-analyze is not installed")
def test_systemd_takes_the_units_as_they_are_installed(tmp_path: Path) -> None:
    assert _run(tmp_path, "install", "--files").returncode == 0
    program = tmp_path / "bin"
    program.mkdir()
    units = tmp_path / "usr/lib/systemd/system"
    for path in units.glob("*.service"):
        path.write_text(path.read_text().replace("/usr/bin/hostagent", "/bin/true"))
    names = sorted(str(path) for path in units.iterdir())
    environment = {"PATH": os.environ["PATH"], "SYSTEMD_UNIT_PATH": f"{units}:", "MANPATH": f"{tmp_path}/usr/share/man"}
    done = subprocess.run(
        [str(ANALYZE), "verify", *names], capture_output=True, text=True, check=False, env=environment, timeout=300
    )
    # With its man pages: what Documentation= names is there.
    assert (done.returncode, done.stderr) == (0, "")


def test_the_program_comes_with_it_and_goes_with_it(tmp_path: Path) -> None:
    done = _run(tmp_path, "install")
    if "No matching distribution" in done.stderr:
        pytest.skip("pip reaches no index")
    assert done.returncode == 0, done.stderr
    assert os.readlink(tmp_path / "usr/bin/hostagent") == "/opt/hostagent/bin/hostagent"
    script = (tmp_path / "opt/hostagent/bin/hostagent").read_text()
    assert script.startswith("#!/opt/hostagent/bin/python\n")
    # Not through the link, which is right where it is going to be. It has all the agent is made of.
    python = tmp_path / "opt/hostagent/bin/python"
    said = subprocess.run(
        [python, "-P", "-c", "import hostagent.daemon.service, hostagent as h; print(h.__version__, h.__file__)"],
        capture_output=True, text=True, check=True, env={}, cwd=tmp_path,
    )  # fmt: skip
    version, where = said.stdout.split()
    assert (version, Path(where).is_relative_to(tmp_path)) == (__version__, True)
    (tmp_path / "etc/hostagent/config.yaml").write_text("log: {level: debug}\n")
    assert _run(tmp_path, "uninstall").returncode == 0
    assert _here(tmp_path) == {"etc/hostagent/config.yaml"}


def test_what_it_does_not_know_it_does_not_do(tmp_path: Path) -> None:
    done = _run(tmp_path, "instal")
    assert (done.returncode, done.stderr.partition("\n")[0]) == (
        2,
        "usage: deploy/install.sh install [--files] | uninstall",
    )
    assert _here(tmp_path) == set()
