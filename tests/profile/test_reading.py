from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from hostagent.profile import (
    Device,
    Hugepages,
    HugePool,
    Iommu,
    Platform,
    Profile,
    ProfileError,
    Watchdog,
    json_schema,
    read_profile,
)

ROOT = Path(__file__).parents[2]
BASE = "platform: {name: openshift, version: 4.20}\n"
WHOLE = """\
# What a GPU worker offers.
platform:
  name: openshift
  version: 4.20
  role: gpu
iommu:
  mode: pt
  strict: true
  documentedArguments: true
devices:
  - id: 10DE:1EB8
    subsystem: 10de:12a2
    resourceName: nvidia.com/TU104GL_Tesla_T4
  - address: [0000:00:02.0, 10000:e1:00.0]
    class: 0302
    count: 1
    nodes: [worker-0]
    companions: false
  - address: 0000:3B:00.1
hugepages:
  defaultSize: 1G
  pools:
    - {size: 1Gi, count: 16}
    - {size: 2M, count: 512, node: 0}
    - {size: 2M, count: 256, node: 1}
watchdog:
  device: /dev/watchdog1
  runtimeTimeout: 2min 30s
  rebootTimeout: 600
  module: iTCO-wdt
  keeper: watchdog
nestedVirtualization: false
"""


def test_every_key() -> None:
    # Addresses, classes and versions that YAML 1.1 reads as numbers of base 60, 8 and 10.
    assert read_profile(WHOLE, "p") == Profile.model_validate(
        {
            "platform": {"name": "openshift", "version": "4.20", "role": "gpu"},
            "iommu": {"mode": "pt", "strict": True, "documentedArguments": True},
            "devices": [
                {"id": "10de:1eb8", "subsystem": "10de:12a2", "resourceName": "nvidia.com/TU104GL_Tesla_T4"},
                {
                    "address": ["0000:00:02.0", "10000:e1:00.0"],
                    "class": "0302",
                    "count": 1,
                    "nodes": ["worker-0"],
                    "companions": False,
                },
                {"address": ["0000:3b:00.1"]},
            ],
            "hugepages": {
                "defaultSize": "1G",
                "pools": [
                    {"size": "1G", "count": 16},
                    {"size": "2M", "count": 512, "node": 0},
                    {"size": "2M", "count": 256, "node": 1},
                ],
            },
            "watchdog": {
                "device": "watchdog1",
                "runtimeTimeout": "150",
                "rebootTimeout": "10min",
                "module": "iTCO_wdt",
                "keeper": "watchdog",
            },
            "nestedVirtualization": False,
        }
    )


def test_values_are_parsed() -> None:
    profile = read_profile(WHOLE, "p")
    assert profile.devices[0].id == "10de:1eb8"
    assert profile.devices[2].address == ("0000:3b:00.1",)
    assert profile.hugepages == Hugepages.model_construct(
        default_size=1 << 30,
        pools=(
            HugePool.model_construct(size=1 << 30, count=16, node=None),
            HugePool.model_construct(size=2 << 20, count=512, node=0),
            HugePool.model_construct(size=2 << 20, count=256, node=1),
        ),
    )
    assert profile.watchdog == Watchdog.model_construct(
        device="/dev/watchdog1", runtime_timeout=150, reboot_timeout=600, module="iTCO_wdt", keeper="watchdog"
    )


def test_absence_and_defaults() -> None:
    profile = read_profile("platform: {name: rhel}\ndevices:\nhugepages: ~\niommu: {}\n", "p")
    assert profile.platform == Platform.model_construct(name="rhel", version=None, role=None)
    assert (profile.devices, profile.hugepages, profile.watchdog, profile.nested_virtualization) == (
        (),
        None,
        None,
        None,
    )
    assert profile.iommu == Iommu.model_construct(mode="on", strict=None, documented_arguments=False)


def test_selector_in_words() -> None:
    entry = Device.model_validate(
        {"id": "10DE:1EB8", "subsystem": "10de:12a2", "class": "03", "address": "0000:3b:00.0"}
    )
    assert entry.selector == "10de:1eb8 subsystem 10de:12a2 class 03 0000:3b:00.0"


@pytest.mark.parametrize(
    ("name", "version", "release"),
    [("openshift", "4.20.0", "4.20"), ("openshift", "4.8", "4.8"), ("rhel", "9.4", "9"), ("ubuntu", "24.04", "24.04")],
)
def test_releases(name: str, version: str, release: str) -> None:
    assert read_profile(f"platform: {{name: {name}, version: {version}}}", "p").platform.release == release


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "p:1: expected keys and values, among them platform"),
        ("[1]", "p:1: expected keys and values, among them platform"),
        ("devices: []", "p:1: platform is missing"),
        ("a: {", "p:1: no YAML: expected the node content, but found '<stream end>'"),
        ("a: \0", "p:1: no YAML: unacceptable character #x0000: special characters are not allowed"),
        (b"a: 1\n\xff", "p:2: expected UTF-8 text"),
        ("#" * ((1 << 20) + 1), "p:1: expected a profile, not 1048577 letters"),
        ("a: &x 1", "p:1: expected plain values, no YAML anchors or aliases"),
        ("a:\n  - *x", "p:2: expected plain values, no YAML anchors or aliases"),
        (
            "a: !!python/name:os.system",
            "p:1: expected plain values, no YAML tag tag:yaml.org,2002:python/name:os.system",
        ),
        ("a: " + "[" * 40 + "]" * 40, "p:1: nested more than 16 deep"),
        ("? [a]\n: 1", "p:1: expected a word as key"),
        (BASE + "platform:\n", "p:2: key 'platform' given twice, first on line 1"),
        (
            BASE + "devices:\n  - id: 10de:1eb8\n    vendr: x\n",
            (
                "p:4: devices[0]: unknown key 'vendr', expected one of id, subsystem, address, class, resourceName, "
                "externalResourceProvider, count, nodes, companions"
            ),
        ),
        (
            BASE + "hugepages:\n  pages: 3\n",
            "p:3: hugepages: unknown key 'pages', expected one of defaultSize, pools",
        ),
        (
            BASE + "devise: 1\n",
            "p:2: unknown key 'devise', expected one of platform, devices, iommu, hugepages, watchdog, nestedVirtualization",
        ),
        ("platform: rhel", "p:1: platform: expected keys and values, saw 'rhel'"),
        (
            "platform: {name: windows}",
            "p:1: platform.name: expected one of openshift, fcos, rhel, debian, ubuntu, suse, saw 'windows'",
        ),
        (
            "platform:\n  name: fcos\n  version: 1.3.0",
            "p:3: platform.version: unknown fcos version '1.3.0': expected one of 1.4.0, 1.5.0, 1.6.0, 1.7.0",
        ),
        (
            "platform:\n  name: fcos",
            "p:2: platform.name: fcos needs a version: expected one of 1.4.0, 1.5.0, 1.6.0, 1.7.0",
        ),
        (
            "platform:\n  name: debian\n  version: bookworm",
            "p:3: platform.version: unknown debian version 'bookworm': expected one of 11, 12, 13",
        ),
        (
            "platform:\n  name: debian\n  role: worker",
            "p:3: platform.role: role belongs to openshift, not to debian",
        ),
        (
            "platform:\n  name: openshift\n  version: 4.20\n  role: Worker_1",
            "p:4: platform.role: expected the name of a machine config pool: lower-case letters, digits and -, saw 'Worker_1'",
        ),
        (BASE + "devices: 3", "p:2: devices: expected a list, saw '3'"),
        (BASE + "devices: [3]", "p:2: devices[0]: expected keys and values, saw '3'"),
        (BASE + "devices:\n  - count: 2", "p:3: devices[0]: expected at least one of id, address, class"),
        (
            BASE + "devices:\n  - address: 0000:3b:00.0\n    subsystem: 10de:12a2",
            "p:4: devices[0].subsystem: subsystem needs id: expected id: vendor:device beside it",
        ),
        (
            BASE + "devices:\n  - id: 10de",
            "p:3: devices[0].id: expected two times four hex digits, as in 10de:1eb8, saw '10de'",
        ),
        (
            BASE + "devices:\n  - class: 030",
            "p:3: devices[0].class: expected two, four or six hex digits of a PCI class, as in 0302, saw '030'",
        ),
        (
            BASE + "devices:\n  - address: 3b:00.0",
            "p:3: devices[0].address[0]: expected a PCI address, as in 0000:3b:00.0, saw '3b:00.0'",
        ),
        (
            BASE + "devices:\n  - address: {a: b}",
            "p:3: devices[0].address: expected a list, saw {'a': 'b'}",
        ),
        (
            BASE + "devices:\n  - class: 03\n    nodes: []",
            "p:4: devices[0].nodes: expected at least one, or no such key, saw []",
        ),
        (BASE + "devices:\n  - class: 03\n    nodes: [[1]]", "p:4: devices[0].nodes[0]: expected one word, saw ['1']"),
        (
            BASE + "devices:\n  - class: 03\n    count: 0",
            "p:4: devices[0].count: expected greater than or equal to 1, saw '0'",
        ),
        (
            BASE + "devices:\n  - class: 03\n    companions: on",
            "p:4: devices[0].companions: expected true or false, saw 'on'",
        ),
        (
            BASE + "devices:\n  - class: 03\n    resourceName: devices.mykubernetes.io/gpu",
            (
                "p:4: devices[0].resourceName: expected a name without kubernetes.io/ in it: Kubernetes takes that for a "
                "resource of its own; saw 'devices.mykubernetes.io/gpu'"
            ),
        ),
        (
            BASE + f"devices:\n  - class: 03\n    resourceName: a.bc/{'x' * 60}",
            (
                f"p:4: devices[0].resourceName: 'a.bc/{'x' * 60}': expected at most 61 characters: /var/lib/kubelet/"
                f"device-plugins/kubevirt-a.bc-{'x' * 60}.sock is 111 bytes long, and a socket's path at most 107"
            ),
        ),
        (
            BASE + "devices:\n  - class: 03\n    resourceName: T4",
            "p:4: devices[0].resourceName: expected a prefix, as in nvidia.com/TU104GL_Tesla_T4; saw 'T4'",
        ),
        (
            BASE + "devices:\n  - class: 03\n    externalResourceProvider: true",
            "p:4: devices[0].externalResourceProvider: externalResourceProvider needs resourceName",
        ),
        (
            BASE + "devices:\n  - id: 10de:1eb8\n  - id: 10DE:1EB8",
            "p:4: devices[1]: devices[1] says the same as devices[0]",
        ),
        (
            BASE + "devices:\n  - {id: 10de:1eb8, resourceName: a.b/c}\n  - {id: 10DE:1EB8, resourceName: a.b/d}",
            (
                "p:4: devices[1].resourceName: 'a.b/c' in devices[0] and 'a.b/d' here: expected one name: "
                "KubeVirt knows only that it is 10de:1eb8"
            ),
        ),
        (
            BASE + "devices:\n  - {id: 10de:1eb8, resourceName: a.b/c}\n  - {id: 10de:1eb9, resourceName: a.b/C}",
            (
                "p:4: devices[1].resourceName: 'a.b/c' in devices[0] and 'a.b/C' here: both are PCI_RESOURCE_A_B_C to a guest: "
                "expected them to differ in more than case, / and ."
            ),
        ),
        (
            BASE + "devices:\n  - {id: 10de:1eb8, resourceName: a/b-c}\n  - {id: 10de:1eb9, resourceName: a-b/c}",
            (
                "p:4: devices[1].resourceName: 'a/b-c' in devices[0] and 'a-b/c' here: both are the socket "
                "/var/lib/kubelet/device-plugins/kubevirt-a-b-c.sock to the kubelet"
            ),
        ),
        (
            BASE
            + "devices:\n  - {id: 10de:1eb8, resourceName: a/b}\n"
            + "  - {id: 10de:1eb9, resourceName: a/b, externalResourceProvider: true}",
            (
                "p:4: devices[1].resourceName: a/b has another provider in devices[0]: "
                "expected one externalResourceProvider for it"
            ),
        ),
        (
            BASE + "hugepages:\n  pools:\n    - {size: 3M, count: 1}",
            "p:4: hugepages.pools[0].size: expected the size of a huge page, as in 2M or 1G, saw '3M'",
        ),
        (
            BASE + "hugepages:\n  pools:\n    - {size: 2M, count: -1}",
            "p:4: hugepages.pools[0].count: expected a whole number, saw '-1'",
        ),
        (
            BASE + "hugepages:\n  pools:\n    - {size: 2M, count: 1}\n    - {size: 2048kB, count: 1}",
            "p:5: hugepages.pools[1]: two pools of 2M: expected each size (and NUMA node) once",
        ),
        (
            BASE + "hugepages:\n  pools:\n    - {size: 2M, count: 1, node: 1}\n    - {size: 2M, count: 1, node: 1}",
            "p:5: hugepages.pools[1]: two pools of 2M on NUMA node 1: expected each size (and NUMA node) once",
        ),
        (
            BASE + "hugepages:\n  pools:\n    - {size: 2M, count: 1, node: 1}\n    - {size: 2M, count: 1}",
            "p:5: hugepages.pools[1]: 2M both for the whole node and for one NUMA node: expected one or the other",
        ),
        (
            BASE + "hugepages:\n  pools:\n    - {size: 2M, count: 1, node: 4096}",
            "p:4: hugepages.pools[0].node: expected less than 1024, saw '4096'",
        ),
        (
            BASE + "watchdog:\n  runtimeTimeout: soon",
            "p:3: watchdog.runtimeTimeout: expected a time span, as in 30s or 10min, saw 'soon'",
        ),
        (
            BASE + "watchdog:\n  device: /dev/sda",
            "p:3: watchdog.device: expected a watchdog's device node, as in /dev/watchdog0, saw '/dev/sda'",
        ),
        (
            BASE + "watchdog:\n  module: a b",
            "p:3: watchdog.module: expected the name of a kernel module, as in i6300esb, saw 'a b'",
        ),
        # Of several faults the one that stands first in the file is named.
        ("iommu: {mode: fast}\n" + BASE + "x: 1", "p:1: iommu.mode: expected one of on, pt, saw 'fast'"),
    ],
)
def test_refusals(text: str | bytes, message: str) -> None:
    with pytest.raises(ProfileError) as refused:
        read_profile(text, "p")
    assert str(refused.value) == message


def test_long_values_are_shown_short() -> None:
    with pytest.raises(ProfileError, match=r"saw 'x{56}\.\.\.$"):
        read_profile(f"platform: {'x' * 300}", "p")


@given(st.text(max_size=80) | st.binary(max_size=80))
def test_any_text_is_a_profile_or_one_message(text: str | bytes) -> None:
    with pytest.raises(ProfileError, match=r"^p:\d+: "):
        read_profile(text, "p")


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=5),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(["platform", "devices", "id", "hugepages", "pools", "size", "x"]), inner, max_size=3
            )
        ),
        max_leaves=8,
    )
)
def test_any_document_is_a_profile_or_one_message(value: object) -> None:
    # BASE comes first, so some documents are whole but for what follows.
    for text in (
        yaml.safe_dump(value),
        BASE + yaml.safe_dump({"devices": value}),
        BASE + yaml.safe_dump({"iommu": value}),
    ):
        assert _outcome(text).partition(":")[0] in ("read", "p")


def _outcome(text: str) -> str:
    try:
        read_profile(text, "p")
    except ProfileError as refused:
        return str(refused)
    return "read:"


def test_published_schema_is_the_models() -> None:
    assert json.loads((ROOT / "docs/profile.schema.json").read_text()) == json_schema()


def test_schema_takes_what_is_read_and_refuses_unknown_keys() -> None:
    schema = json_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)
    good = {
        "platform": {"name": "openshift", "version": "4.20"},
        "devices": [{"id": "10de:1eb8", "resourceName": "nvidia.com/T4"}, {"address": "0000:3b:00.0"}],
        "hugepages": {"pools": [{"size": "2M", "count": 3, "node": 0}]},
        "watchdog": {"runtimeTimeout": "30s"},
        "nestedVirtualization": True,
    }
    assert list(validator.iter_errors(good)) == []
    for bad in ({"devices": [{"vendr": 1}]}, {"devices": [{"id": "x"}]}, {"watchdog": {"keeper": "me"}}, {"x": 1}):
        assert list(validator.iter_errors({**good, **bad})) != []
