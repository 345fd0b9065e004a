"""permittedHostDevices: what is refused, how it is written, and how a resource is brought up to date."""

from __future__ import annotations

import json
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from hostagent.render.files import RenderError
from hostagent.render.permitted import (
    Permitted,
    checked,
    hyperconverged,
    kubevirt,
    vm_host_devices,
)
from hostagent.render.resource import updated
from hostagent.values.kubevirt import PERMITTED


def permitted(selector: str, resource: str, *, external: bool = False) -> Permitted:
    return Permitted(selector=selector, resource=resource, external=external)


T4 = permitted("10DE:1EB8", "nvidia.com/TU104GL_Tesla_T4")
V100 = permitted("10DE:1DB6", "nvidia.com/GV100GL_Tesla_V100", external=True)


@pytest.mark.parametrize(
    "selector",
    [
        "10de",
        "10de:1eb",
        "10de:1eb80",
        "10de:1eb8:0000",
        "10de:*",
        "0x10de:1eb8",
        "0000:3b:00.0",
        "",
        "10dg:1eb8",
        "10de:0x12",
    ],
)
def test_no_selector(selector: str) -> None:
    with pytest.raises(RenderError) as caught:
        checked((permitted(selector, "a.b/c"),))
    assert caught.value.place == "pciHostDevices[0].selector"
    assert "expected vendor:device of four hex digits each" in caught.value.message


def test_what_is_no_extended_resource_or_has_no_socket_is_refused_where_it_stands() -> None:
    with pytest.raises(RenderError, match=r"without kubernetes.io/ in it") as caught:
        checked((permitted("10de:1eb8", "devices.mykubernetes.io/gpu"),))
    assert caught.value.place == "pciHostDevices[0].resourceName"
    with pytest.raises(RenderError, match="expected a prefix"):
        vm_host_devices(("T4",))
    long = f"{'a' * 40}.bb/{'c' * 18}"
    with pytest.raises(RenderError, match="is 108 bytes long, and a socket's path at most 107"):
        checked((permitted("10de:1eb8", long),))
    # Another device plugin has its own socket.
    assert checked((permitted("10DE:1EB8", long, external=True),))


@pytest.mark.parametrize(
    ("first", "second", "words"),
    [
        (
            permitted("10DE:1EB8", "a.b/c"),
            permitted("10de:1eb8", "a.b/c"),
            "one selector, whatever their case",
        ),
        (permitted("10DE:1EB8", "a.b/c"), permitted("10DE:1EB8", "a.b/d"), "given to a.b/c and to a.b/d"),
        (permitted("10DE:1EB8", "a.b/c"), permitted("10DE:1EB8", "a.b/c"), "listed twice"),
        (permitted("10DE:1EB8", "a.b/c"), permitted("10DE:1EB9", "a.b/C"), "both are PCI_RESOURCE_A_B_C to a guest"),
        (permitted("10DE:1EB8", "a.b/c"), permitted("10DE:1EB9", "a/b.c"), "both are PCI_RESOURCE_A_B_C to a guest"),
        (permitted("10DE:1EB8", "a.b/c-d"), permitted("10DE:1EB9", "a.b-c/d"), "both are the socket"),
        (permitted("10DE:1EB8", "a.b/c"), permitted("10DE:1EB9", "a.b/c", external=True), "at once"),
    ],
)
def test_entries_kubevirt_cannot_keep_apart(first: Permitted, second: Permitted, words: str) -> None:
    with pytest.raises(RenderError, match=words) as caught:
        checked((T4, first, second) if T4.selector != first.selector else (first, second))
    assert caught.value.place.startswith("pciHostDevices[")


def test_one_resource_for_two_models() -> None:
    both = (permitted("10de:1eb9", "a.b/c"), permitted("10de:1eb8", "a.b/c"))
    assert checked(both) == (permitted("10DE:1EB8", "a.b/c"), permitted("10DE:1EB9", "a.b/c"))


@pytest.mark.parametrize("version", ["v1beta1", "v1"])
def test_hyperconverged(version: str) -> None:
    text = hyperconverged((T4, V100), version=version, namespace="openshift-cnv")
    assert text == hyperconverged((V100, T4), version=version, namespace="openshift-cnv")
    listed = {
        "permittedHostDevices": {
            "pciHostDevices": [
                {
                    "pciDeviceSelector": "10DE:1DB6",
                    "resourceName": "nvidia.com/GV100GL_Tesla_V100",
                    "externalResourceProvider": True,
                },
                {"pciDeviceSelector": "10DE:1EB8", "resourceName": "nvidia.com/TU104GL_Tesla_T4"},
            ]
        }
    }
    assert yaml.safe_load(text) == {
        "apiVersion": f"hco.kubevirt.io/{version}",
        "kind": "HyperConverged",
        "metadata": {"name": "kubevirt-hyperconverged", "namespace": "openshift-cnv"},
        "spec": listed if version == "v1beta1" else {"virtualization": listed},
    }


def test_unknown_hyperconverged() -> None:
    with pytest.raises(RenderError, match="version 'v2': expected v1beta1 or v1"):
        hyperconverged((), version="v2", namespace="a")


def test_kubevirt() -> None:
    text = kubevirt((T4,), namespace="kubevirt")
    assert text.startswith("# KubeVirt heeds this with HostDevices among ")
    assert yaml.safe_load(text) == {
        "apiVersion": "kubevirt.io/v1",
        "kind": "KubeVirt",
        "metadata": {"name": "kubevirt", "namespace": "kubevirt"},
        "spec": {
            "configuration": {
                "permittedHostDevices": {
                    "pciHostDevices": [
                        {"pciVendorSelector": "10DE:1EB8", "resourceName": "nvidia.com/TU104GL_Tesla_T4"}
                    ]
                }
            }
        },
    }


def test_vm_host_devices() -> None:
    assert (
        vm_host_devices((T4.resource, T4.resource))
        == """\
spec:
  template:
    spec:
      domain:
        devices:
          hostDevices:
            - deviceName: nvidia.com/TU104GL_Tesla_T4
              name: tu104gl-tesla-t4-1
            - deviceName: nvidia.com/TU104GL_Tesla_T4
              name: tu104gl-tesla-t4-2
"""
    )
    with pytest.raises(RenderError, match=r"^hostDevices\[0\].deviceName: 'T4': expected a prefix"):
        vm_host_devices(("T4",))


OWNED = frozenset({"nvidia.com/OLD", T4.resource, V100.resource})
HEAD = "apiVersion: hco.kubevirt.io/v1beta1\nkind: HyperConverged\n"

CURRENT = (
    HEAD
    + """\
metadata: {name: kubevirt-hyperconverged, creationTimestamp: 2024-01-02T03:04:05Z}
spec:
  # What VMs may have.
  permittedHostDevices:   # kept
    pciHostDevices:  # by hand
    # an old card
    - resourceName: nvidia.com/OLD  # goes
      pciDeviceSelector: "10DE:1111"
    # the network team's
    -
      pciDeviceSelector: 8086:1521
      resourceName: intel.com/i350
      disabled: no

    # below
    mediatedDevices: []
  workloads: {}
"""
)


def test_a_dropped_device_leaves_and_the_rest_stays() -> None:
    gone = CURRENT.replace('    - resourceName: nvidia.com/OLD  # goes\n      pciDeviceSelector: "10DE:1111"\n', "")
    assert updated(CURRENT, wanted=(), owned=OWNED) == gone
    came = gone.replace(
        "      disabled: no\n",
        "      disabled: no\n    - pciDeviceSelector: 10DE:1EB8\n      resourceName: nvidia.com/TU104GL_Tesla_T4\n",
    )
    assert updated(CURRENT, wanted=(T4,), owned=OWNED) == came
    assert updated(came, wanted=(T4,), owned=OWNED) == came
    assert updated(came, wanted=(), owned=OWNED) == gone
    assert updated(gone, wanted=(), owned=OWNED) == gone


def test_without_owned_names_nothing_leaves() -> None:
    assert updated(CURRENT, wanted=(), owned=frozenset()) == CURRENT


ENTRY = "- pciDeviceSelector: 10DE:1EB8\n{}  resourceName: nvidia.com/TU104GL_Tesla_T4\n"
FLOW = '[{"pciDeviceSelector": "10DE:1EB8", "resourceName": "nvidia.com/TU104GL_Tesla_T4"}]'


@pytest.mark.parametrize(
    ("current", "result"),
    [
        ("", "spec:\n  permittedHostDevices:\n    pciHostDevices:\n      " + ENTRY.format(" " * 6)),
        ("spec:\n", "spec:\n  permittedHostDevices:\n    pciHostDevices:\n      " + ENTRY.format(" " * 6)),
        ("spec: {}\n", "spec:\n  permittedHostDevices:\n    pciHostDevices:\n      " + ENTRY.format(" " * 6)),
        ("spec: ~ # a", "spec: # a\n  permittedHostDevices:\n    pciHostDevices:\n      " + ENTRY.format(" " * 6)),
        (
            "spec:\n  a: |\n    b\n\n  # c\nstatus:\n",
            "spec:\n  a: |\n    b\n\n  permittedHostDevices:\n    pciHostDevices:\n      "
            + ENTRY.format(" " * 6)
            + "  # c\nstatus:\n",
        ),
        (
            "spec:\n    permittedHostDevices:\n        pciHostDevices: []\n",
            "spec:\n    permittedHostDevices:\n        pciHostDevices:\n          " + ENTRY.format(" " * 10),
        ),
        (
            "spec:\n  a:\n  - b\n",
            "spec:\n  a:\n  - b\n  permittedHostDevices:\n    pciHostDevices:\n      " + ENTRY.format(" " * 6),
        ),
        ("spec: {a: 1}\n", 'spec: {"permittedHostDevices": {"pciHostDevices": ' + FLOW + "}, a: 1}\n"),
        (
            "spec: {permittedHostDevices: }\n",
            'spec: {permittedHostDevices: {"pciHostDevices": ' + FLOW + "} }\n",
        ),
        ("spec: {permittedHostDevices: {pciHostDevices: []}}", "spec: {permittedHostDevices: {pciHostDevices: " + FLOW + "}}\n"),
        ("spec:\n  {}\n", 'spec:\n  {"permittedHostDevices": {"pciHostDevices": ' + FLOW + "}}\n"),
        (
            "spec:\n  permittedHostDevices:\n    pciHostDevices: [{pciDeviceSelector: '8086:1', resourceName: a.b/c}]\n",
            "spec:\n  permittedHostDevices:\n    pciHostDevices: "
            "[{pciDeviceSelector: '8086:1', resourceName: a.b/c}, " + FLOW[1:] + "\n",
        ),
        (
            "spec:\n  permittedHostDevices:\n    pciHostDevices:\n    -\n    - 5\n",
            "spec:\n  permittedHostDevices:\n    pciHostDevices:\n    -\n    - 5\n    " + ENTRY.format(" " * 4),
        ),
    ],
)  # fmt: skip
def test_where_a_first_entry_goes(current: str, result: str) -> None:
    written = updated(HEAD + current, wanted=(T4,), owned=OWNED)
    assert written == HEAD + result
    assert updated(written, wanted=(T4,), owned=OWNED) == written
    assert T4.resource not in updated(written, wanted=(), owned=OWNED)


def test_the_last_entry_leaves_an_empty_list() -> None:
    text = hyperconverged((T4, V100), version="v1beta1", namespace="a")
    assert updated(text, wanted=(), owned=OWNED) == hyperconverged((), version="v1beta1", namespace="a")


def test_json_stays_json() -> None:
    text = json.dumps(yaml.safe_load(hyperconverged((V100,), version="v1", namespace="a")), indent=2)
    expected = yaml.safe_load(hyperconverged((T4,), version="v1", namespace="a"))
    assert json.loads(updated(text, wanted=(T4,), owned=OWNED)) == expected


def test_kubevirts_own_resource() -> None:
    text = kubevirt((V100,), namespace="kubevirt")
    assert updated(text, wanted=(T4, V100), owned=frozenset()) == text + (
        "        - pciVendorSelector: 10DE:1EB8\n          resourceName: nvidia.com/TU104GL_Tesla_T4\n"
    )


def in_list(*lines: str) -> str:
    body = "".join(f"      {line}\n" for line in lines)
    return f"{HEAD}spec:\n  permittedHostDevices:\n    pciHostDevices:\n{body}"


def test_what_is_there_in_another_case_is_there() -> None:
    text = in_list("- pciDeviceSelector: 10de:1eb8", "  resourceName: nvidia.com/TU104GL_Tesla_T4")
    assert updated(text, wanted=(T4,), owned=frozenset()) == text


@pytest.mark.parametrize("flag", ["externalResourceProvider: true", "disabled: true"])
def test_an_entry_of_ours_that_differs_is_replaced(flag: str) -> None:
    text = in_list("- pciDeviceSelector: 10DE:1EB8", f"  {flag}", "  resourceName: nvidia.com/TU104GL_Tesla_T4")
    assert updated(text, wanted=(T4,), owned=OWNED) == in_list(
        "- pciDeviceSelector: 10DE:1EB8", "  resourceName: nvidia.com/TU104GL_Tesla_T4"
    )
    with pytest.raises(RenderError, match=r"pciHostDevices\[0\], which is not ours: .* listed twice"):
        updated(text, wanted=(T4,), owned=frozenset())


@pytest.mark.parametrize(
    ("selector", "resource", "words"),
    [
        ("10de:1eb8", "a.b/c", "one selector, whatever their case"),
        ("10DE:1EB8", "a.b/c", "is given to nvidia.com/TU104GL_Tesla_T4 and to a.b/c"),
        ("10DE:9999", "nvidia.com/tu104gl_tesla_t4", "both are PCI_RESOURCE_NVIDIA_COM_TU104GL_TESLA_T4 to a guest"),
    ],
)
def test_someone_elses_entry_in_the_way(selector: str, resource: str, words: str) -> None:
    text = in_list(f"- pciDeviceSelector: {selector}", f"  resourceName: {resource}")
    with pytest.raises(RenderError, match=words):
        updated(text, wanted=(T4,), owned=OWNED)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "expected a mapping with apiVersion"),
        ("- a\n", "expected a mapping with apiVersion"),
        ("a: [\n", "expected one YAML document; .* at line 2"),
        ("a: 1\n---\nb: 1\n", "expected one YAML document"),
        ("a: \x01\n", "expected YAML"),
        ("[" * 1000, "expected YAML"),
        ("a: 1\rb: 2", "end in a line feed"),
        (HEAD + "a: &x 1\nb: *x\n", "without aliases"),
        (
            "kind: HyperConverged\n",
            "apiVersion '', kind 'HyperConverged': expected one of hco.kubevirt.io/v1beta1",
        ),
        ("apiVersion: [a]\nkind: Pod\n", "apiVersion '', kind 'Pod'"),
        (HEAD + "spec: 5\n", "line 3: expected a mapping on the way to pciHostDevices"),
        (HEAD + "spec:\n- a\n", "line 4: expected a mapping on the way"),
        (HEAD + "spec: {permittedHostDevices: {pciHostDevices: {a: 1}}}\n", "line 3: expected a mapping"),
        (HEAD + "spec: {}\nspec: {}\n", "spec is given twice, again at line 4"),
        (
            in_list("- # why", "  pciDeviceSelector: 8086:1521", "  resourceName: a.b/c"),
            "line 7: expected each item",
        ),
        (HEAD + "spec:\n  a:\n  - b\n  -\n", "laid out in a way that cannot be edited safely"),
        (HEAD + "? spec # a: b\n:\n", "laid out in a way that cannot be edited safely"),
    ],
)
def test_what_cannot_be_edited(text: str, words: str) -> None:
    with pytest.raises(RenderError, match=words):
        updated(text, wanted=(T4,), owned=OWNED)


IDS = [f"8086:{number:04X}" for number in range(6)]
NAMES = [f"a.b/{letter}" for letter in "uvwxyz"]
CHOICES = st.lists(st.integers(0, 5), unique=True, max_size=6)


@given(
    st.tuples(CHOICES, CHOICES, CHOICES),
    st.sampled_from(["hco v1beta1", "hco v1", "kubevirt"]),
    st.fixed_dictionaries({"default_flow_style": st.sampled_from([None, True, False]), "indent": st.integers(2, 5)}),
)
def test_any_list_is_brought_up_to_date(
    choices: tuple[list[int], list[int], list[int]], kind: str, style: dict[str, Any]
) -> None:
    """Ours that are wanted, and others' that were there; once done, done."""
    there, chosen, owned = choices
    path: tuple[str, ...]
    entries = tuple(permitted(IDS[n], NAMES[n]) for n in there)
    wanted = tuple(permitted(IDS[n], NAMES[n]) for n in chosen)
    names = frozenset(NAMES[n] for n in owned)
    if kind == "kubevirt":
        path, current = PERMITTED["kubevirt.io/v1", "KubeVirt"][0], kubevirt(entries, namespace="a")
    else:
        path = PERMITTED[f"hco.kubevirt.io/{kind.split()[1]}", "HyperConverged"][0]
        current = hyperconverged(entries, version=kind.split()[1], namespace="a")
    text = yaml.safe_dump(yaml.safe_load(current), **style)
    written = updated(text, wanted=wanted, owned=names)
    listed: Any = yaml.safe_load(written)
    for key in path:
        listed = listed[key]
    expected = [NAMES[n] for n in sorted(there) if n in chosen or n not in owned]
    expected += [NAMES[n] for n in sorted(chosen) if n not in there]
    assert [entry["resourceName"] for entry in listed["pciHostDevices"]] == expected
    assert updated(written, wanted=tuple(reversed(wanted)), owned=names) == written
