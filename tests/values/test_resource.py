from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hostagent.values.resource import resource_name_fault, socket_path, variable

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
        ("device.kubernetes.io/gpu", "expected a domain outside kubernetes.io, which holds no extended resources"),
        ("kubernetes.io/gpu", "expected a domain outside kubernetes.io, which holds no extended resources"),
        (
            "nvidia.com/T4_",
            "expected at most 63 of A-Z a-z 0-9 - _ . after the slash, with a letter or digit at both ends, not 'T4_'",
        ),
        (
            "a/b/c",
            "expected at most 63 of A-Z a-z 0-9 - _ . after the slash, with a letter or digit at both ends, not 'b/c'",
        ),
        (
            "x.y-z.w/" + "a" * 54,
            "expected at most 61 letters: its device plugin's socket path has 108 bytes and must have fewer than 108",
        ),
    ],
)
def test_names_that_do_not(name: str, fault: str) -> None:
    assert resource_name_fault(name) == fault


def test_what_becomes_of_a_name() -> None:
    assert socket_path("nvidia.com/T4") == f"{PREFIX}nvidia.com-T4.sock"
    assert variable("nvidia.com/T4-a") == "PCI_RESOURCE_NVIDIA_COM_T4-A"


@given(st.text(max_size=130))
def test_any_text_has_an_answer(name: str) -> None:
    fault = resource_name_fault(name)
    assert fault is None or fault.startswith("expected ")
    if fault is None:
        assert name.isascii()
        assert len(socket_path(name)) < 108
