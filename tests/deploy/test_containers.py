"""Image, quadlet, DaemonSet and Butane files: one user, no privilege, options that the agent takes, paths that it uses."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from hostagent.cli.words import parser
from hostagent.daemon.configured import Said, configured
from hostagent.settings import FEATURES_D, PORT, Settings
from tests.roots import REPOSITORY

DEPLOY = REPOSITORY / "deploy"
QUADLET = DEPLOY / "container" / "hostagent.container"
USER = 10346
# podman-systemd.unit(5): what [Container] may hold, of what is used here.
_KEYS = {
    "Image", "ContainerName", "Exec", "Notify", "User", "Group", "DropCapability", "NoNewPrivileges", "ReadOnly",
    "SecurityLabelDisable", "Network", "Volume",
}  # fmt: skip
KUBECTL = shutil.which("kubectl")


def _minor() -> int:
    """Of kubectl's version; 0 where there is none. Before 1.21 it had a kustomize that knew no `patches`."""
    if KUBECTL is None:
        return 0
    words = [KUBECTL, "version", "--client", "-o", "json"]
    said = subprocess.run(words, capture_output=True, text=True, check=True, timeout=60).stdout
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
    assert (options.root, options.sinks, options.listen) == ("/host", ["nfd"], [f":{PORT}"])
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
    assert set(rules["volumes"]) == kinds
    assert rules["allowHostNetwork"] is pod["hostNetwork"] is True
    assert rules["allowPrivilegedContainer"] is False
    assert {"PodMonitor", "PrometheusRule"} <= set(made)


@pytest.mark.parametrize(("name", "variant"), [("install-fcos.bu", "fcos"), ("install-rhcos.bu", "openshift")])
def test_butane_installs_the_quadlet_and_settings_the_agent_takes(name: str, variant: str, tmp_path: Path) -> None:
    made = yaml.safe_load((REPOSITORY / "butane" / name).read_text())
    assert made["variant"] == variant
    files = {file["path"]: file for file in made["storage"]["files"]}
    assert set(files) == {"/etc/hostagent/config.yaml", "/etc/containers/systemd/hostagent.container"}
    inside = {path: file["contents"]["inline"] for path, file in files.items()}
    assert inside["/etc/containers/systemd/hostagent.container"].rstrip("\n") == QUADLET.read_text().rstrip("\n")
    settings = tmp_path / "config.yaml"
    settings.write_text(inside["/etc/hostagent/config.yaml"])
    said = Said(config=str(settings), profile=None, listen=None, web_config=None, log_level=None, sinks=None)
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
