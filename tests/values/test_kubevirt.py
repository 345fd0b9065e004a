from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hostagent.values.kubevirt import clash, resource_name_fault, selector_fault, socket_fault, socket_path, variable

NATIVE = "expected a name without kubernetes.io/ in it: Kubernetes takes that for a resource of its own"
PREFIX = "/var/lib/kubelet/device-plugins/kubevirt-"


@pytest.mark.parametrize("name", ["nvidia.com/TU104GL_Tesla_T4", "intel.com/qat", "a/b", "x.y-z.w/" + "a" * 53])
def test_names_that_pass(name: str) -> None:
    assert resource_name_fault(name) is None


@pytest.mark.parametrize(
    ("name", "fault"),
    [
        ("T4", "expected a prefix, as in nvidia.com/TU104GL_Tesla_T4"),
        ("NVIDIA.com/T4", "expected a lower-case DNS name before the slash, as in nvidia.com/..., not 'NVIDIA.com'"),
        ("/T4", "expected a lower-case DNS name before the slash, as in nvidia.com/..., not ''"),
        ("requests.a/b", "expected a lower-case DNS name before the slash, as in nvidia.com/..., not 'requests.a'"),
        ("device.kubernetes.io/gpu", NATIVE),
        ("kubernetes.io/gpu", NATIVE),
        ("devices.mykubernetes.io/gpu", NATIVE),
        (
            "a." * 122 + "ab/c",
            "expected at most 244 characters before the slash: with requests. in front it names the quota",
        ),
        (
            "nvidia.com/T4_",
            "expected at most 63 of A-Z a-z 0-9 - _ . after the slash, with a letter or digit at both ends, not 'T4_'",
        ),
        (
            "a/b/c",
            "expected at most 63 of A-Z a-z 0-9 - _ . after the slash, with a letter or digit at both ends, not 'b/c'",
        ),
    ],
)
def test_names_that_do_not(name: str, fault: str) -> None:
    assert resource_name_fault(name) == fault


def test_the_quota_is_named_too() -> None:
    assert resource_name_fault("a." * 121 + "ab/c") is None


def test_a_socket_has_107_bytes() -> None:
    assert socket_fault("x.y-z.w/" + "a" * 53) is None
    assert socket_fault("x.y-z.w/" + "a" * 54) == (
        f"expected at most 61 characters: {PREFIX}x.y-z.w-{'a' * 54}.sock is 108 bytes long, and a socket's path at most 107"
    )


@pytest.mark.parametrize(
    ("name", "other", "why"),
    [
        (
            "a.b/c",
            "a.b/C",
            "both are PCI_RESOURCE_A_B_C to a guest: expected them to differ in more than case, / and .",
        ),
        ("a/b-c", "a-b/c", f"both are the socket {PREFIX}a-b-c.sock to the kubelet"),
        ("a.b/c", "a.b/d", None),
    ],
)
def test_clashes(name: str, other: str, why: str | None) -> None:
    assert clash(name, other) == why


@pytest.mark.parametrize(
    "text", ["10de", "10de:1eb", "10de:1eb8:0000", "10de:*", "0x10de:1eb8", "0000:3b:00.0", "", "10dg:1eb8"]
)
def test_selectors_that_are_none(text: str) -> None:
    assert selector_fault(text) == f"expected vendor:device of four hex digits each, as in 10DE:1EB8, not {text!r}"


def test_selectors() -> None:
    assert selector_fault("10de:1eb8") is None
    assert selector_fault("10DE:1EB8") is None


def test_what_becomes_of_a_name() -> None:
    assert socket_path("nvidia.com/T4") == f"{PREFIX}nvidia.com-T4.sock"
    assert variable("nvidia.com/T4-a") == "PCI_RESOURCE_NVIDIA_COM_T4-A"


@given(st.text(max_size=130))
def test_any_text_has_an_answer(name: str) -> None:
    fault = resource_name_fault(name)
    assert fault is None or fault.startswith("expected ")
    if fault is None:
        assert name.isascii()
        assert (socket_fault(name) is None) == (len(socket_path(name).encode()) < 108)
