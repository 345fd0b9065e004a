"""`hostagent explain`: every code, and none that there is not."""

from __future__ import annotations

import pytest

from hostagent.advice import CODES
from hostagent.cli import main


def test_without_a_code_all_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain"]) == 0
    out, err = capsys.readouterr()
    assert [line.split()[0] for line in out.splitlines() if line.startswith("  ")] == list(CODES)
    assert err == ""


def test_one_code(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("COLUMNS", "100")
    assert main(["explain", "nested-on"]) == 0
    assert capsys.readouterr().out == (
        "nested-on: Guests can run guests, and the profile says not\n"
        "\n"
        "Cause:    Nested virtualization is on, as kernels have it since 4.20; it offers a guest more of the\n"
        "          host to attack.\n"
        "Evidence: /sys/module/kvm_intel/parameters/nested (or kvm_amd) says Y or 1.\n"
        "Remedy:   render modprobe. Put the rendered option in place, and reboot.\n"
    )


@pytest.mark.parametrize("name", CODES)
def test_every_code_can_be_explained(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", name]) == 0
    out = capsys.readouterr().out
    assert out.startswith(f"{name}: {CODES[name].title}\n\nCause:")
    assert all(len(line) <= 110 or " " not in line.strip() for line in out.splitlines()[1:])


def test_several_codes_have_a_line_between(capsys: pytest.CaptureFixture[str]) -> None:
    main(["explain", "nested-on", "nested-off"])
    assert "\n\nnested-off: " in capsys.readouterr().out


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("iommu-off", "did you mean iommu-off-in-firmware or iommu-off-by-argument?"),
        ("kvm-mising", "did you mean kvm-missing or vfio-pci-missing?"),
        ("xyzzy", "`hostagent explain` lists them"),
    ],
)
def test_an_unknown_code_is_status_2(name: str, message: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", name]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err == f"hostagent: no finding has the code {name!r}: {message}\n"
