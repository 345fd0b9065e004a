"""Permitted devices in every form an administrator has them, and everything that is none of them."""

from __future__ import annotations

import json

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from hostagent.fit.permitted import LIMIT, PermittedEntry, PermittedError, PermittedList, read_permitted

T4 = PermittedEntry(selector="10de:1eb8", resource="nvidia.com/T4", external=False)
QAT = PermittedEntry(selector="8086:4941", resource="qat.intel.com/4xxx", external=True)
EXPECTED = PermittedList(entries=(T4, QAT), others=("mediatedDevices",))


def listed(selector: str) -> dict[str, object]:
    return {
        "pciHostDevices": [
            {selector: "10DE:1EB8", "resourceName": "nvidia.com/T4"},
            {selector: "8086:4941", "resourceName": "qat.intel.com/4xxx", "externalResourceProvider": True},
            {selector: "1234:5678", "resourceName": "a.com/off", "disabled": True},
        ],
        "mediatedDevices": [{"mdevNameSelector": "GRID T4-1Q", "resourceName": "nvidia.com/GRID_T4-1Q"}],
    }


def resource(version: str, kind: str, spec: dict[str, object]) -> dict[str, object]:
    return {"apiVersion": version, "kind": kind, "metadata": {"name": "x"}, "spec": spec}


HCO_BETA = resource("hco.kubevirt.io/v1beta1", "HyperConverged", {"permittedHostDevices": listed("pciDeviceSelector")})
FORMS = {
    "v1beta1": HCO_BETA,
    "v1": resource(
        "hco.kubevirt.io/v1",
        "HyperConverged",
        {"virtualization": {"permittedHostDevices": listed("pciDeviceSelector")}},
    ),
    "kubevirt": resource(
        "kubevirt.io/v1", "KubeVirt", {"configuration": {"permittedHostDevices": listed("pciVendorSelector")}}
    ),
    "named": {"permittedHostDevices": listed("pciVendorSelector")},
    "bare": listed("pciDeviceSelector"),
    "list": {"apiVersion": "v1", "kind": "List", "items": [{"kind": "Pod"}, "odd", HCO_BETA]},
}


@pytest.mark.parametrize("form", FORMS)
def test_every_form_in_yaml_and_json(form: str) -> None:
    assert read_permitted(yaml.safe_dump(FORMS[form]), "f") == EXPECTED
    assert read_permitted(json.dumps(FORMS[form]), "f") == EXPECTED
    assert read_permitted(json.dumps(FORMS[form], indent="\t").encode(), "f") == EXPECTED


def test_the_shortest_form() -> None:
    expected = PermittedList(entries=(T4,), others=())
    assert read_permitted("10DE:1EB8: nvidia.com/T4\n", "f") == expected
    assert read_permitted('{"10de:1eb8": "nvidia.com/T4"}', "f") == expected


@pytest.mark.parametrize(
    "text",
    [
        "pciHostDevices:\n",
        "permittedHostDevices:\n",
        "apiVersion: kubevirt.io/v1\nkind: KubeVirt\n",
        "apiVersion: kubevirt.io/v1\nkind: KubeVirt\nspec: {configuration: {}}\n",
    ],
)
def test_nothing_permitted(text: str) -> None:
    assert read_permitted(text, "f") == PermittedList(entries=(), others=())


HCO = "apiVersion: hco.kubevirt.io/v1beta1\nkind: HyperConverged\n"
FAULTS = [
    ("", "f: expected a HyperConverged or KubeVirt resource or pciHostDevices, saw nothing"),
    ("- a\n", "f: expected a HyperConverged or KubeVirt resource or pciHostDevices, saw a list"),
    ("a: b\n", "f: expected pciHostDevices, or a resource with apiVersion and kind"),
    (
        "apiVersion: v1\nkind: Pod\n",
        "f: apiVersion 'v1', kind 'Pod': expected one of hco.kubevirt.io/v1beta1 HyperConverged, hco.kubevirt.io/v1 Hyper",
    ),
    ("apiVersion: v1\nkind: List\nitems: []\n", "f: items: expected one HyperConverged or KubeVirt, saw 0"),
    (f"{HCO}spec: 5\n", "f: spec: expected keys and values, saw 5"),
    (f"{HCO}spec: {{permittedHostDevices: 5}}\n", "f: spec.permittedHostDevices: expected keys and values, saw 5"),
    (
        f"{HCO}spec: {{permittedHostDevices: {{pciHostDevices: {{a: b}}}}}}\n",
        "f: spec.permittedHostDevices.pciHostDevices: expected a list, saw keys and values",
    ),
    ("pciHostDevices: [5]\n", "f: pciHostDevices[0]: expected keys and values, saw 5"),
    ("pciHostDevices: [{a: b}]\n", "f: pciHostDevices[0]: expected pciDeviceSelector or pciVendorSelector"),
    (
        "pciHostDevices: [{pciDeviceSelector: 1234}]\n",
        "f: pciHostDevices[0].pciDeviceSelector: expected text, saw 1234",
    ),
    (
        "pciHostDevices: [{pciDeviceSelector: '10de:1eb8'}]\n",
        "f: pciHostDevices[0].resourceName: expected text, saw nothing",
    ),
    (
        "pciHostDevices: [{pciDeviceSelector: '10de:1eb8', resourceName: a/b, disabled: 'no'}]\n",
        "f: pciHostDevices[0].disabled: expected true or false, saw 'no'",
    ),
    ("10de:1eb8: [a]\n", "f: 10de:1eb8: expected a resource name, saw a list"),
    ("a: [\n", "f:2: no YAML: expected the node content, but found '<stream end>'"),
    ('{\n\t"a": }', "f:2: no JSON: Expecting value"),
    (b"\xff", "f: expected UTF-8 text"),
    ("\x00", "f: no YAML: unacceptable character #x0000: special characters are not allowed"),
    ("[" * 5000, "f: no YAML: "),
    ("a" * (LIMIT + 1), f"f: expected at most {LIMIT} bytes, saw {LIMIT + 1}"),
]


@pytest.mark.parametrize(("text", "expected"), FAULTS, ids=range(len(FAULTS)))
def test_one_line_names_the_place(text: str | bytes, expected: str) -> None:
    with pytest.raises(PermittedError) as raised:
        read_permitted(text, "f")
    assert str(raised.value).startswith(expected)
    assert "\n" not in str(raised.value)


@given(st.text() | st.binary())
def test_total_over_text(text: str | bytes) -> None:
    try:
        found: object = read_permitted(text, "f")
    except PermittedError as error:
        found = str(error)
    assert isinstance(found, PermittedList) or str(found).startswith("f:")
