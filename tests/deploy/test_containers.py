"""Image, quadlet, DaemonSet and Butane files: one user, no privilege, options that the agent takes, paths that it uses."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
import yaml

from hostagent.cli.words import parser
from hostagent.daemon.configured import Said, configured
from hostagent.settings import FEATURES_D, PORT, Settings
from tests.daemon.running import free_port
from tests.roots import REPOSITORY

DEPLOY = REPOSITORY / "deploy"
QUADLET = DEPLOY / "container" / "hostagent.container"
TMPFILES = DEPLOY / "container" / "tmpfiles.conf"
USER = 10346
# podman-systemd.unit(5): what [Container] may hold, of what is used here.
_KEYS = {
    "Image", "ContainerName", "Exec", "Notify", "User", "Group", "DropCapability", "NoNewPrivileges", "ReadOnly",
    "SecurityLabelDisable", "Network", "Volume", "HealthCmd", "HealthInterval", "HealthTimeout", "HealthRetries",
    "HealthStartPeriod", "HealthOnFailure",
}  # fmt: skip
KUBECTL = shutil.which("kubectl")


def _minor() -> int:
    """Of kubectl's version; 0 where there is none. Before 1.21 it had a kustomize that knew no `patches`."""
    if KUBECTL is None:
        return 0
    words = [KUBECTL, "version", "--client", "-o", "json"]
    said = subprocess.run(words, capture_output=True, text=True, check=True, timeout=300).stdout
    minor = json.loads(said)["clientVersion"]["minor"]
    return int("".join(letter for letter in minor if letter.isdigit()))


needs_kubectl = pytest.mark.skipif(_minor() < 21, reason="no kubectl found: install kubectl 1.21 or newer")


def _sections(text: str) -> dict[str, list[tuple[str, str]]]:
    found: dict[str, list[tuple[str, str]]] = {}
    section = ""
    for line in text.splitlines():
        if line.startswith("["):
            section = line.strip("[]")
            found[section] = []
        elif line and not line.startswith("#"):
            key, equals, value = line.partition("=")
            assert equals, line
            found[section].append((key, value))
    return found


def _options(words: list[str]) -> Any:
    """The words as the agent's own parser takes them; a usage error fails the test."""
    assert words[0] == "run"
    return parser("run").parse_args(words)


def test_the_quadlet_asks_for_nothing_it_does_not_need() -> None:
    found = _sections(QUADLET.read_text())
    assert set(found) == {"Unit", "Container", "Service", "Install"}
    container = found["Container"]
    assert {key for key, _ in container} == _KEYS
    said = dict(container)
    assert (said["User"], said["Group"], said["DropCapability"]) == (str(USER), str(USER), "all")
    assert (said["ReadOnly"], said["NoNewPrivileges"], said["Notify"]) == ("true", "true", "true")
    options = _options(said["Exec"].split())
    assert (options.root, options.sinks) == ("/host", ["nfd", "report"])
    volumes = {volume.split(":")[1]: volume.split(":")[2] for key, volume in container if key == "Volume"}
    assert volumes == {
        "/host": "ro,rslave",
        str(Path(FEATURES_D).parent): "rw",
        str(Path(Settings().sinks.report.path).parent): "rw",
        "/etc/hostagent": "ro",
    }


def test_the_quadlet_kills_an_agent_that_does_not_answer() -> None:
    """The command as it stands there, against a server that is well, one that is not, and none."""
    said = dict(_sections(QUADLET.read_text())["Container"])
    assert said["HealthOnFailure"] == "kill"
    for answer, status in ((200, 0), (503, 1)):
        with serving(answer) as port:
            assert _healthy(said["HealthCmd"], port) == status
    assert _healthy(said["HealthCmd"], free_port()) == 1


def _healthy(command: str, port: int) -> int:
    words = command.replace("/opt/hostagent/bin/python", sys.executable).replace(f":{PORT}/", f":{port}/")
    return subprocess.run(["sh", "-c", words], capture_output=True, check=False, timeout=300).returncode


@contextmanager
def serving(status: int) -> Iterator[int]:
    """A server that answers /-/healthy with this status."""

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status if self.path == "/-/healthy" else 404)
            self.end_headers()

        def log_message(self, *_words: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Answer) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server.server_port
        server.shutdown()
        thread.join()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may make directories of other groups")
@pytest.mark.skipif(shutil.which("systemd-tmpfiles") is None, reason="systemd-tmpfiles is not installed")
def test_the_features_directory_is_there_before_the_container(tmp_path: Path) -> None:
    place = tmp_path / "etc" / "tmpfiles.d"
    place.mkdir(parents=True)
    shutil.copy(TMPFILES, place / "hostagent.conf")
    words = ["systemd-tmpfiles", f"--root={tmp_path}", "--create", "hostagent.conf"]
    subprocess.run(words, check=True, capture_output=True)
    made = (tmp_path / FEATURES_D.lstrip("/")).stat()
    assert (oct(made.st_mode & 0o777), made.st_uid, made.st_gid) == ("0o775", 0, USER)


def test_the_image_runs_the_same_words_as_the_same_user() -> None:
    text = (DEPLOY / "container" / "Containerfile").read_text()
    lines = [line for line in text.replace("\\\n", " ").splitlines() if line and not line.startswith("#")]
    assert f"USER {USER}:{USER}" in lines
    assert f"EXPOSE {PORT}" in lines
    copied = [
        word for line in lines if line.startswith("COPY ") and "--from" not in line for word in line.split()[1:-1]
    ]
    assert copied
    assert all((REPOSITORY / path).exists() for path in copied)
    command = yaml.safe_load(next(line.removeprefix("CMD ") for line in lines if line.startswith("CMD ")))
    said = dict(_sections(QUADLET.read_text())["Container"])
    assert command == said["Exec"].split()


def _built(directory: str) -> dict[str, dict[str, Any]]:
    assert KUBECTL is not None
    done = subprocess.run(
        [KUBECTL, "kustomize", str(DEPLOY / "kubernetes" / directory)],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    return {made["kind"]: made for made in yaml.safe_load_all(done.stdout)}


@needs_kubectl
def test_the_daemon_set_holds_no_privilege() -> None:
    made = _built("base")
    assert set(made) == {"Namespace", "ServiceAccount", "DaemonSet"}
    pod = made["DaemonSet"]["spec"]["template"]["spec"]
    assert made["DaemonSet"]["metadata"]["namespace"] == "hostagent"
    assert pod["automountServiceAccountToken"] is False
    assert (pod["securityContext"]["runAsUser"], pod["securityContext"]["runAsNonRoot"]) == (USER, True)
    (agent,), (directory,) = pod["containers"], pod["initContainers"]
    assert agent["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert directory["securityContext"]["capabilities"] == {"drop": ["ALL"], "add": ["CHOWN", "FOWNER"]}
    assert directory["command"][directory["command"].index("-g") + 1] == str(USER)
    assert not {"hostPID", "hostIPC"} & set(pod)
    mounts = {mount["name"]: mount for mount in agent["volumeMounts"]}
    assert mounts["host"]["readOnly"] is True
    assert mounts["node-feature-discovery"]["mountPath"] == str(Path(FEATURES_D).parent)
    made_at = f"{directory['volumeMounts'][0]['mountPath']}/{Path(FEATURES_D).name}"
    assert directory["command"][-1] == made_at
    assert {volume["name"] for volume in pod["volumes"]} == set(mounts)


@needs_kubectl
def test_the_daemon_set_runs_the_agent_where_its_probes_and_prometheus_look() -> None:
    (agent,) = _built("base")["DaemonSet"]["spec"]["template"]["spec"]["containers"]
    options = _options(agent["args"])
    assert (options.root, options.sinks) == ("/host", ["nfd"])
    # The kubelet asks the pod's address, which is the node's.
    assert options.listen == [f"[$(HOST_IP)]:{PORT}"]
    # The node's name stands in what the pod publishes; the host name it sees is the node's, which may be another.
    assert agent["env"] == [
        {"name": name, "valueFrom": {"fieldRef": {"fieldPath": path}}}
        for name, path in (("HOST_IP", "status.hostIP"), ("NODE_NAME", "spec.nodeName"))
    ]
    assert [port["containerPort"] for port in agent["ports"]] == [PORT]
    asked = {agent[probe]["httpGet"]["path"] for probe in ("startupProbe", "readinessProbe", "livenessProbe")}
    assert asked == {"/readyz", "/healthz"}
    monitor = _built("monitoring")["PodMonitor"]["spec"]
    labels = _built("base")["DaemonSet"]["spec"]["template"]["metadata"]["labels"]
    assert monitor["selector"]["matchLabels"] == labels
    assert monitor["podMetricsEndpoints"][0]["port"] == agent["ports"][0]["name"]


@needs_kubectl
def test_openshift_admits_what_the_daemon_set_asks_for() -> None:
    made = _built("openshift")
    rules, pod = made["SecurityContextConstraints"], made["DaemonSet"]["spec"]["template"]["spec"]
    account = made["ServiceAccount"]["metadata"]
    assert rules["users"] == [f"system:serviceaccount:{account['namespace']}:{account['name']}"]
    assert pod["securityContext"]["seLinuxOptions"] == {"type": "spc_t"}
    asked = {one for part in pod["initContainers"] for one in part["securityContext"]["capabilities"]["add"]}
    assert set(rules["allowedCapabilities"]) == asked
    kinds = {key for volume in pod["volumes"] for key in volume if key != "name"}
    assert set(rules["volumes"]) == {*kinds, "secret"}
    assert rules["allowHostNetwork"] is pod["hostNetwork"] is True
    assert rules["allowPrivilegedContainer"] is False
    assert {"PodMonitor", "PrometheusRule"} <= set(made)
    assert made["Role"]["rules"][0]["resources"] == ["services", "endpoints", "pods"]
    assert made["RoleBinding"]["roleRef"]["name"] == made["Role"]["metadata"]["name"]
    assert made["RoleBinding"]["subjects"][0]["namespace"] == "openshift-monitoring"
    assert {made[kind]["metadata"]["namespace"] for kind in ("Role", "RoleBinding")} == {account["namespace"]}


@needs_kubectl
def test_tls_is_a_component_to_add(tmp_path: Path) -> None:
    shutil.copytree(DEPLOY / "kubernetes", tmp_path / "kubernetes")
    mine = tmp_path / "kubernetes" / "mine"
    mine.mkdir()
    (mine / "kustomization.yaml").write_text("resources: [../base]\ncomponents: [../tls]\n")
    pod = _built(str(mine))["DaemonSet"]["spec"]["template"]["spec"]
    (agent,) = pod["containers"]
    assert _options(agent["args"]).web_config == "/etc/hostagent-web/web.yml"
    schemes = {agent[probe]["httpGet"]["scheme"] for probe in ("startupProbe", "readinessProbe", "livenessProbe")}
    assert schemes == {"HTTPS"}
    assert {volume["name"]: volume for volume in pod["volumes"]}["web"]["secret"]["secretName"] == "hostagent-web"


@needs_kubectl
def test_an_image_that_was_loaded_on_the_node_is_used() -> None:
    pod = _built("base")["DaemonSet"]["spec"]["template"]["spec"]
    assert {part["imagePullPolicy"] for part in (*pod["containers"], *pod["initContainers"])} == {"IfNotPresent"}


@pytest.mark.parametrize(("name", "variant"), [("install-fcos.bu", "fcos"), ("install-rhcos.bu", "openshift")])
def test_butane_installs_the_quadlet_and_settings_the_agent_takes(name: str, variant: str, tmp_path: Path) -> None:
    made = yaml.safe_load((REPOSITORY / "butane" / name).read_text())
    assert made["variant"] == variant
    files = {file["path"]: file for file in made["storage"]["files"]}
    given = {"/etc/containers/systemd/hostagent.container": QUADLET, "/etc/tmpfiles.d/hostagent.conf": TMPFILES}
    registry = {"/etc/systemd/system/hostagent.service.d/registry.conf"} if variant == "openshift" else set()
    assert set(files) == {"/etc/hostagent/config.yaml", *given, *registry}
    inside = {path: file["contents"]["inline"] for path, file in files.items()}
    assert {path: inside[path] for path in given} == {path: source.read_text() for path, source in given.items()}
    settings = tmp_path / "config.yaml"
    settings.write_text(inside["/etc/hostagent/config.yaml"])
    said = Said(
        config=str(settings), profile=None, listen=None, web_config=None, log_level=None, sinks=None, node_name=None
    )
    assert configured(said).settings.sinks.textfile.enabled is False
    # What Butane's openshift variants refuse: directories, special mode bits, top-level kernel arguments.
    assert set(made["storage"]) == ({"files", "directories"} if variant == "fcos" else {"files"})
    assert all(file["mode"] == 0o644 for file in files.values())
    if variant == "openshift":
        rendered = [yaml.safe_load(path.read_text()) for path in REPOSITORY.glob("butane/examples/**/*.bu")]
        names = {one["metadata"]["name"] for one in rendered if "metadata" in one}
        assert "99-worker-hostagent" in names
        assert made["metadata"]["name"] not in names
        assert made["metadata"]["labels"] == {"machineconfiguration.openshift.io/role": "worker"}
        assert all(file["overwrite"] is True for file in files.values())
