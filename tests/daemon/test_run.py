"""`hostagent run` from outside: a process, its files, its port, its signals."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest

from hostagent import __version__
from tests.cli.run import REPOSITORY, hostagent
from tests.daemon.running import configuration, started, started_without_pages, until, until_said
from tests.plant import pci_function, plant

LO = "/sys/class/net/lo/uevent"
SECOND = "0000:00:02.0"
COUNT = "hostagent.io/pci-8086-10d3.count"
PROMTOOL = shutil.which("promtool")


def test_publishes_follows_and_leaves(tmp_path: Path) -> None:
    with started(tmp_path) as agent:
        assert agent.labels()[COUNT] == "1"
        assert agent.features.read_text().startswith("# +expiry-time=")
        assert json.loads(agent.report.read_text())["schema_version"] == 2
        assert agent.get("/report.json")[1] == agent.report.read_bytes()
        files = (agent.features, agent.report, agent.textfile)
        assert {stat.S_IMODE(path.stat().st_mode) for path in files} == {0o644}
        assert agent.metric(f'hostagent_build_info{{version="{__version__}"}}') == "1.0"
        assert agent.metric("hostagent_survey_failures_total") == "0.0"
        booted = int(Path("/proc/stat").read_text().partition("\nbtime ")[2].split()[0])
        assert abs(float(agent.metric("hostagent_boot_time_seconds") or 0) - booted) <= 2

        plant(agent.root, pci_function(SECOND, driver="vfio-pci"))
        until(lambda: agent.labels()[COUNT] == "2")
        until(lambda: f'address="{SECOND}"'.encode() in agent.get("/metrics")[1])
        until(lambda: f'address="{SECOND}"' in agent.textfile.read_text())
        assert len(json.loads(agent.get("/report.json")[1])["pci"]["data"]["functions"]) == 2

        before = {path: path.read_bytes() for path in files}
        agent.leave()
        assert {path: path.read_bytes() for path in files} == before
        assert sorted(os.listdir(agent.features.parent)) == ["hostagent"]
        assert "error" not in agent.log.read_text()


@pytest.mark.skipif(not os.access(LO, os.W_OK), reason=f"only root may write to {LO}")
def test_a_uevent_is_followed_at_once(tmp_path: Path) -> None:
    """Nothing but the kernel's word wakes it here: the timer has an hour."""
    with started(tmp_path, interval="1h") as agent:
        plant(agent.root, pci_function(SECOND))
        time.sleep(1.5)
        assert agent.labels()[COUNT] == "1"
        with open(LO, "w", encoding="ascii") as file:
            file.write("change")
        until(lambda: agent.labels()[COUNT] == "2")
        until(lambda: float(agent.metric('hostagent_wakes_total{source="uevent"}') or 0) >= 1)


EXECUTING = ("subprocess.Popen", "os.exec", "os.posix_spawn", "os.system", "os.fork", "os.forkpty")
WATCHED = f"""\
import os, runpy, sys
place = sys.argv.pop(1)
def hook(event, arguments):
    if event in {EXECUTING!r}:
        with open(place, "a") as file:
            print(event, arguments, file=file)
sys.addaudithook(hook)
runpy.run_module("hostagent", run_name="__main__")
"""


def test_nothing_is_executed(tmp_path: Path) -> None:
    """Libraries look for libraries with ldconfig or a compiler, if they are let."""
    seen, watched = tmp_path / "seen", tmp_path / "watched.py"
    watched.write_text(WATCHED)
    with started(tmp_path, program=(str(watched), str(seen))) as agent:
        until(lambda: agent.metric('hostagent_wake_source_up{source="uevent"}') == "1.0")
        agent.get("/")
        agent.leave()
    assert not seen.exists(), seen.read_text()


def test_pages(tmp_path: Path) -> None:
    with started(tmp_path) as agent:
        for path in ("/", "/metrics", "/-/healthy", "/-/ready", "/healthz", "/readyz", "/report.json"):
            assert agent.get(path)[0] == 200, path
        assert agent.get("/anything")[0] == 404
        status, body = agent.get("/metrics?collect[]=numa&collect[]=memory")
        assert status == 200
        assert b"hostagent_pci_device_info" not in body
        assert b'hostagent_area_success{area="numa"}' in body
        assert b'hostagent_area_success{area="pci"}' not in body
        assert b"hostagent_pci_device_info" not in agent.get("/metrics?exclude[]=pci")[1]
        assert agent.get("/metrics?collect[]=pcix")[0] == 400
        assert agent.get("/metrics?collect[]=pci&exclude[]=numa")[0] == 400
        openmetrics = agent.get("/metrics", {"Accept": "application/openmetrics-text;version=1.0.0"})[1]
        assert openmetrics.endswith(b"# EOF\n")
        until(lambda: agent.metric('hostagent_http_requests_total{code="404"}') == "1.0")


@pytest.mark.skipif(PROMTOOL is None, reason="promtool is not installed")
def test_promtool_has_nothing_to_say(tmp_path: Path) -> None:
    with started(tmp_path) as agent:
        agent.get("/nowhere")
        time.sleep(1.1)
        body = agent.get("/metrics")[1]
    assert b"hostagent_http_requests_total{" in body
    done = subprocess.run([str(PROMTOOL), "check", "metrics"], input=body, capture_output=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")


def test_hangup_reads_the_settings_again_and_a_broken_file_changes_nothing(tmp_path: Path) -> None:
    with started(tmp_path, more="labels: {prefix: one.example.org}\n") as agent:
        assert set(agent.labels()) > {"one.example.org/pci-8086-10d3.count"}
        agent.config.write_text(configuration(tmp_path, "labels: {prefix: two.example.org}\n"))
        agent.hangup()
        until(lambda: "two.example.org/pci-8086-10d3.count" in agent.labels())

        agent.config.write_text(configuration(tmp_path, "labels: {perfix: three.example.org}\n"))
        agent.hangup()
        until(lambda: agent.metric("hostagent_config_last_reload_successful") == "0.0")
        assert "two.example.org/pci-8086-10d3.count" in agent.labels()
        wanted = f"the configuration stays as it was: {agent.config}:6: labels: unknown key 'perfix', expected one of"
        until_said(agent.log, wanted)

        agent.config.write_text(configuration(tmp_path, "labels: {prefix: four.example.org}\n"))
        agent.hangup()
        until(lambda: "four.example.org/pci-8086-10d3.count" in agent.labels())
        until(lambda: agent.metric("hostagent_config_last_reload_successful") == "1.0")


def test_hangup_changes_which_files_are_written(tmp_path: Path) -> None:
    with started(tmp_path) as agent:
        other = tmp_path / "run" / "other.json"
        agent.config.write_text(f"sinks: {{nfd: {{enabled: false}}, report: {{path: {other}}}}}\n")
        agent.hangup()
        until(other.exists)
        until(lambda: agent.metric('hostagent_sink_success{sink="nfd"}') is None)
        assert other.read_bytes() == agent.get("/report.json")[1]
        agent.leave()


def test_a_file_that_moved_is_not_left_behind(tmp_path: Path) -> None:
    with started(tmp_path) as agent:
        agent.config.write_text(agent.config.read_text().replace("features.d/hostagent", "features.d/other"))
        agent.hangup()
        until(lambda: sorted(os.listdir(agent.features.parent)) == ["other"])
        assert agent.report.exists()


PROFILE = """\
platform: {name: debian}
devices:
  - id: 8086:10d3
"""


def test_a_profile_is_planned_against_every_report(tmp_path: Path) -> None:
    (tmp_path / "profile.yaml").write_text(PROFILE)
    with started(tmp_path, "--profile", str(tmp_path / "profile.yaml")) as agent:
        labels = agent.labels()
        assert labels["hostagent.io/passthrough.ready"] == "false"
        assert labels["hostagent.io/profile.compliant"] == "false"
        blockers = [line for line in agent.textfile.read_text().splitlines() if 'severity="blocker"' in line]
        assert any(line.startswith('hostagent_finding{code="') for line in blockers)
        (tmp_path / "profile.yaml").write_text("platform: {name: debian}\n")
        agent.hangup()
        until(lambda: agent.labels().get("hostagent.io/profile.compliant") == "true")
        assert "hostagent.io/passthrough.ready" not in agent.labels()


def test_one_file_that_cannot_be_written_costs_no_other(tmp_path: Path) -> None:
    with started(tmp_path) as agent:
        agent.features.unlink()
        agent.features.parent.rmdir()
        until(lambda: agent.metric('hostagent_sink_success{sink="nfd"}') == "0.0")
        plant(agent.root, pci_function(SECOND))
        until(lambda: f'address="{SECOND}"' in agent.textfile.read_text())
        until(lambda: agent.metric('hostagent_sink_success{sink="report"}') == "1.0")
        agent.features.parent.mkdir()
        until(lambda: agent.labels()[COUNT] == "2")
        until(lambda: agent.metric('hostagent_sink_success{sink="nfd"}') == "1.0")
        lines = [line for line in agent.log.read_text().splitlines() if ": nfd: " in line]
        assert lines == [
            f"hostagent: info: nfd: publishing to {agent.features}",
            f"hostagent: error: nfd: {agent.features} cannot be written: No such file or directory",
            f"hostagent: info: nfd: {agent.features} is written again",
        ]


def test_the_machine_may_go_and_come_back(tmp_path: Path) -> None:
    with started(tmp_path) as agent:
        before = agent.labels()
        agent.root.rename(tmp_path / "away")
        until(lambda: float(agent.metric("hostagent_survey_failures_total") or 0) >= 2)
        assert agent.labels() == before
        until_said(agent.log, "the survey failed, what was published stays: RootError")
        assert agent.log.read_text().count("the survey failed, what was published stays: RootError") == 1
        (tmp_path / "away").rename(agent.root)
        surveys = float(agent.metric("hostagent_surveys_total") or 0)
        until(lambda: float(agent.metric("hostagent_surveys_total") or 0) > surveys)


def test_systemd_is_told(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(tmp_path / "notify"))
        manager.settimeout(10)
        environment = {"NOTIFY_SOCKET": str(tmp_path / "notify"), "WATCHDOG_USEC": "400000"}
        with started(tmp_path, environment=environment) as agent:
            assert manager.recv(4096).decode().startswith("READY=1\nSTATUS=")
            beats = [manager.recv(4096) for _ in range(5)]
            assert beats == [b"WATCHDOG=1"] * 5
            agent.hangup()
            seen = [manager.recv(4096).decode() for _ in range(3)]
            seen = [message for message in seen if message != "WATCHDOG=1"]
            assert seen[0].startswith("RELOADING=1\nMONOTONIC_USEC=")
            agent.process.send_signal(signal.SIGTERM)
            while seen[-1] != "STOPPING=1":
                seen.append(manager.recv(4096).decode())
            assert agent.process.wait(10) == 0


@pytest.mark.parametrize("rounds", [8])
def test_killed_at_any_moment_leaves_the_old_file_or_the_new(tmp_path: Path, rounds: int) -> None:
    """Two machines take turns; whatever is on disk after kill -9 is one of the two, whole. (bench/daemon_kill.py: many times)"""
    with started(tmp_path) as agent:
        one = agent.report.read_bytes()
        plant(agent.root, pci_function(SECOND))
        until(lambda: agent.report.read_bytes() != one)
        two = agent.report.read_bytes()
        agent.leave()
    for number in range(rounds):
        if number % 2:
            plant(tmp_path / "root", pci_function(SECOND))
        else:
            shutil.rmtree(tmp_path / f"root/sys/bus/pci/devices/{SECOND}")
        command = [sys.executable, "-m", "hostagent", "run", "--root", str(tmp_path / "root")]
        command += ["--config", str(tmp_path / "config.yaml"), "--web.listen-address", "127.0.0.1:0"]
        process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
        time.sleep(0.3 + 0.1 * number)
        process.kill()
        process.wait()
        assert (tmp_path / "run/report.json").read_bytes() in (one, two)


def test_once(tmp_path: Path) -> None:
    plant(tmp_path / "root", pci_function("0000:00:01.0"))
    (tmp_path / "text").mkdir()
    (tmp_path / "config.yaml").write_text(configuration(tmp_path))
    words = ("run", "--once", "--root", str(tmp_path / "root"), "--config", str(tmp_path / "config.yaml"))
    done = hostagent(*words, "--sink", "textfile")
    assert (done.status, done.out) == (0, "")
    assert b"hostagent_pci_device_info{" in (tmp_path / "text/hostagent.prom").read_bytes()
    assert sorted(os.listdir(tmp_path)) == ["config.yaml", "root", "text"]
    failed = hostagent(*words, "--sink", "textfile", "--sink", "nfd")
    assert failed.status == 4
    assert "features.d/hostagent cannot be written: No such file or directory" in failed.err


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--config", "/nonexistent.yaml"), "hostagent: /nonexistent.yaml: No such file or directory\n"),
        (("--root", "/nonexistent"), "hostagent: --root /nonexistent: No such file or directory; expected a directory"),
        (("--web.listen-address", "127.0.0.1"), "hostagent: cannot listen on '127.0.0.1': expected host:port"),
        (("--web.config.file", "/nonexistent.yml"), "hostagent: /nonexistent.yml: No such file or directory\n"),
        (("--profile", "/nonexistent.yaml"), "hostagent: /nonexistent.yaml: No such file or directory\n"),
    ],
)
def test_bad_words(tmp_path: Path, words: tuple[str, ...], message: str) -> None:
    (tmp_path / "config.yaml").write_text(configuration(tmp_path))
    base = () if "--config" in words else ("--config", str(tmp_path / "config.yaml"))
    done = hostagent("run", *base, *words)
    assert done.status == 2
    assert message in done.err


def test_leaving_during_a_password_check(tmp_path: Path) -> None:
    hashed = "$2b$17$" + "." * 53  # ten seconds of processor time, on busy machines more
    (tmp_path / "web.yml").write_text(f"basic_auth_users: {{bob: '{hashed}'}}\n")
    with started_without_pages(tmp_path, "--web.config.file", str(tmp_path / "web.yml")) as agent:
        with socket.create_connection(("127.0.0.1", agent.port)) as sock:
            sock.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\nAuthorization: Basic Ym9iOmI=\r\n\r\n")
            time.sleep(0.1)
            assert agent.leave() < 8
        assert "Fatal" not in agent.log.read_text()


def test_a_web_configuration_that_cannot_be_used_shows(tmp_path: Path) -> None:
    web, metric = tmp_path / "web.yml", "hostagent_web_config_last_reload_successful"
    web.write_text("rate_limit: {interval: 0}\n")
    with started(tmp_path, "--web.config.file", str(web)) as agent:
        assert agent.metric(metric) == "1.0"
        web.write_text("rate_limit: {intervall: 0}\n")
        until(lambda: agent.metric(metric) == "0.0")
        web.write_text("rate_limit: {interval: 1ms, burst: 1000}\n")
        until(lambda: agent.metric(metric) == "1.0")
    with started(tmp_path) as agent:
        assert agent.metric(metric) is None


def _minds_hangup(pid: int) -> bool:
    """Whether the process ignores or catches SIGHUP by now: bit 0 of SigIgn and SigCgt in proc_pid_status(5)."""
    status = Path(f"/proc/{pid}/status").read_text()
    masks = (status.partition(f"\n{name}:")[2].split("\n", 1)[0] for name in ("SigIgn", "SigCgt"))
    return any(int(mask, 16) & 1 for mask in masks)


def test_hangups_from_the_first_line_on(tmp_path: Path) -> None:
    plant(tmp_path / "root", pci_function(SECOND))
    for name in ("features.d", "run", "text"):
        (tmp_path / name).mkdir()
    (tmp_path / "config.yaml").write_text(configuration(tmp_path))
    command = [sys.executable, "-m", "hostagent", "run", "--config", str(tmp_path / "config.yaml")]
    words = ["--root", str(tmp_path / "root"), "--web.listen-address", f"unix:{tmp_path}/socket"]
    process = subprocess.Popen([*command, *words], env={**os.environ, "PYTHONPATH": str(REPOSITORY)})

    def published() -> bool:
        process.send_signal(signal.SIGHUP)
        return (tmp_path / "features.d/hostagent").exists()

    try:
        until(lambda: process.poll() is not None or _minds_hangup(process.pid))
        until(published)
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0
    finally:
        process.kill()
        process.wait()
