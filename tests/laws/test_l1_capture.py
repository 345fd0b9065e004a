"""L1: a survey of a capture equals the survey of the machine as others may see it, problems included."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hostagent.host import Host
from hostagent.host.capture import archive, recording
from hostagent.report import NodeReport, survey
from tests.plant import pci_function, plant, unreadable
from tests.roots import roots


def captured(root: str, at: Path) -> NodeReport:
    """The survey of the capture of `root`."""
    host = recording(root)
    survey(host)
    at.write_bytes(archive(host))
    host.close()
    return survey(Host(str(at), thorough=True))


@pytest.mark.parametrize("root", roots())
def test_a_capture_says_what_the_machine_said(root: str, tmp_path: Path) -> None:
    from hostagent.cli.roots import opened
    from tests.roots import unpacked

    place = str(unpacked(root))
    with opened(place, thorough=True, redacted=True) as host:
        direct = survey(host)
    assert captured(place, tmp_path / "capture.tar.gz") == direct


def test_the_same_machine_gives_the_same_bytes(tmp_path: Path) -> None:
    root = plant(tmp_path, pci_function("0000:00:01.0") | {"proc/cmdline": "quiet\n"})
    packed = []
    for _ in range(2):
        host = recording(str(root))
        survey(host)
        packed.append(archive(host))
    assert packed[0] == packed[1]


def test_what_could_not_be_read_fails_the_same_way_from_the_capture(tmp_path: Path) -> None:
    root = plant(tmp_path / "root", pci_function("0000:00:01.0"))
    unreadable(root, "sys/bus/pci/devices/0000:00:01.0/numa_node")
    report = captured(str(root), tmp_path / "capture.tar.gz")
    assert report.pci is not None
    assert [(p.path, p.kind, p.detail.split(":")[0]) for p in report.pci.problems] == [
        ("sys/bus/pci/devices/0000:00:01.0/numa_node", "unreadable", "ELOOP")
    ]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=30)
@given(
    st.dictionaries(
        st.sampled_from(["uevent", "numa_node", "revision", "driver_override", "reset_method", "current_link_speed"]),
        st.binary(max_size=40),
    )
)
def test_any_content_survives_the_capture(tmp_path_factory: pytest.TempPathFactory, files: dict[str, bytes]) -> None:
    base = "sys/bus/pci/devices/0000:00:01.0"
    at = tmp_path_factory.mktemp("l1")
    content: dict[str, str | bytes] = {f"{base}/{name}": data for name, data in files.items()}
    root = plant(at / "root", content, directories=(base,))
    assert captured(str(root), at / "capture.tar.gz") == survey(Host(str(root), thorough=True, redacted=True))
