"""MachineConfigs against the output of butane 0.29 (tests/render/data/butane-machineconfig.jsonl, 60 cases)."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any
from urllib.parse import unquote_to_bytes

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from hostagent.render.files import Config, Dropin, File, RenderError, Unit, split
from hostagent.render.machineconfig import data_url, machineconfig
from hostagent.values.record import replaced

GOLDENS = [
    json.loads(line) for line in (Path(__file__).parent / "data/butane-machineconfig.jsonl").read_text().splitlines()
]
UNIT = Unit(name="a.service", enabled=True, text="[Unit]\nDescription=a\n", dropins=())
FILE = File(path="/etc/modprobe.d/vfio.conf", mode=0o644, text="options vfio-pci ids=10de:1eb8\n")
CONFIG = Config(name="99-worker-hostagent", role="worker", files=(FILE,), units=(UNIT,), kernel_arguments=("iommu=pt",))


def config_of(golden: dict[str, Any]) -> Config:
    return Config(
        name=golden["name"],
        role=golden["role"],
        files=tuple(File(path=f["path"], mode=f["mode"], text=f["contents"]) for f in golden["files"]),
        units=tuple(
            Unit(
                name=unit["name"],
                enabled=unit.get("enabled"),
                text=unit.get("contents"),
                dropins=tuple(Dropin(name=d["name"], text=d["contents"]) for d in unit.get("dropins", ())),
            )
            for unit in golden["units"]
        ),
        kernel_arguments=tuple(golden["kernel_arguments"]),
    )


def decoded(url: str) -> str:
    head, _, body = url.partition(",")
    return (base64.b64decode(body) if head == "data:;base64" else unquote_to_bytes(body)).decode()


@pytest.mark.parametrize("golden", GOLDENS, ids=lambda golden: golden["case"])
def test_equals_butane(golden: dict[str, Any]) -> None:
    assert (
        machineconfig(config_of(golden["config"]), version=golden["config"]["version"].removesuffix(".0"))
        == golden["machineconfig"]
    )


@pytest.mark.parametrize("golden", GOLDENS, ids=lambda golden: golden["case"])
def test_reads_back(golden: dict[str, Any]) -> None:
    config = config_of(golden["config"])
    read = yaml.safe_load(machineconfig(config, version=golden["config"]["version"].removesuffix(".0")))
    ignition = read["spec"]["config"]
    files = tuple(
        File(path=f["path"], mode=f["mode"], text=decoded(f["contents"]["source"]))
        for f in ignition.get("storage", {}).get("files", ())
    )
    texts = tuple(unit.get("contents") for unit in ignition.get("systemd", {}).get("units", ()))
    assert files == config.files
    assert texts == tuple(unit.text for unit in config.units)
    assert tuple(read["spec"].get("kernelArguments", ())) == config.kernel_arguments


@pytest.mark.parametrize(
    ("text", "url"),
    [
        # Recorded from butane 0.29.
        ("vfio-pci", "data:,vfio-pci"),
        ("", "data:,"),
        ("options vfio-pci ids=10de:1eb8\n", "data:,options%20vfio-pci%20ids%3D10de%3A1eb8%0A"),
        ("= = = = = = = = =", "data:;base64,PSA9ID0gPSA9ID0gPSA9ID0="),
        ("café €😀\n", "data:;base64,Y2Fmw6kg4oKs8J+YgAo="),
        ("café\n", "data:,caf%C3%A9%0A"),
        # The rest by the rule: what stays as it is in a URL.
        ("-_.!~*'()", "data:,-_.!~*'()"),
        ('/:,="', "data:,%2F%3A%2C%3D%22"),
    ],
)
def test_data_url(text: str, url: str) -> None:
    assert data_url(text) == url


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_data_url_comes_back(text: str) -> None:
    assert decoded(data_url(text)) == text


def test_huge_pages_of_two_sizes_stay_in_pairs() -> None:
    arguments = ("default_hugepagesz=1G", "hugepagesz=1G", "hugepages=16", "hugepagesz=2M", "hugepages=16")
    text = machineconfig(replaced(CONFIG, kernel_arguments=arguments), version="4.20")
    assert yaml.safe_load(text)["spec"]["kernelArguments"] == [
        "default_hugepagesz=1G",
        "hugepagesz=1G hugepages=16",
        "hugepagesz=2M hugepages=16",
    ]


def unit(**changes: Any) -> dict[str, Any]:
    return {"units": (replaced(UNIT, **changes),)}


def file(**changes: Any) -> dict[str, Any]:
    return {"files": (replaced(FILE, **changes),)}


@pytest.mark.parametrize(
    ("changes", "place", "words"),
    [
        ({"name": "Worker"}, "name", "not an object name"),
        ({"role": ""}, "role", "not a label value"),
        ({"files": (FILE, FILE)}, "files", "given twice"),
        ({"units": (UNIT, UNIT)}, "units", "given twice"),
        ({"kernel_arguments": ("a", "a")}, "kernel arguments", "given twice"),
        ({"kernel_arguments": ('dyndbg="file x +p"',)}, "kernel arguments", "degrade"),
        ({"kernel_arguments": ("",)}, "kernel arguments", "empty"),
        (file(path="etc/a"), "file etc/a", "absolute"),
        (file(path="/etc/../a"), "file /etc/../a", "absolute"),
        (file(path="/etc/"), "file /etc/", "absolute"),
        (file(mode=0o1644), "file /etc/modprobe.d/vfio.conf", "special bits"),
        (file(text="\ud800"), "file /etc/modprobe.d/vfio.conf", "no character"),
        (unit(name="a"), "unit a", "ends in one of"),
        (unit(name="a.conf"), "unit a.conf", "ends in one of"),
        (unit(name="a/b.service"), "unit a/b.service", "ends in one of"),
        (unit(text="\n[Unit]\n"), "unit a.service", "empty line"),
        (unit(text="[Unit\nDescription=a\n"), "unit a.service", "does not end in ']'"),
        (unit(text="[Unit]\n#\u2028\n"), "unit a.service", "unchanged"),
        (unit(dropins=(Dropin(name="a", text=""),)), "drop-in a.service.d/a", ".conf"),
        (unit(dropins=(Dropin(name="a.conf", text="\n"),)), "drop-in a.service.d/a.conf", "empty line"),
        (unit(dropins=(Dropin(name="a.conf", text=""),) * 2), "drop-ins of a.service", "given twice"),
    ],
)
def test_what_butane_refuses(changes: dict[str, Any], place: str, words: str) -> None:
    with pytest.raises(RenderError) as caught:
        machineconfig(replaced(CONFIG, **changes), version="4.20")
    assert caught.value.place == place
    assert words in caught.value.message


def test_split_as_the_manual_does() -> None:
    iommu, vfiopci = split(CONFIG)
    assert iommu == replaced(CONFIG, name="100-worker-iommu", files=(), units=())
    assert vfiopci == replaced(CONFIG, name="100-worker-vfiopci", kernel_arguments=())


def test_split_leaves_out_an_empty_half() -> None:
    assert [c.name for c in split(replaced(CONFIG, kernel_arguments=()))] == ["100-worker-vfiopci"]
    assert [c.name for c in split(replaced(CONFIG, files=(), units=()))] == ["100-worker-iommu"]
    assert split(replaced(CONFIG, files=(), units=(), kernel_arguments=())) == ()


def test_a_unit_with_nothing_but_a_drop_in() -> None:
    kubelet = Unit(
        name="kubelet.service",
        enabled=None,
        text=None,
        dropins=(Dropin(name="a.conf", text="[Unit]\nAfter=b\n"),),
    )
    read = yaml.safe_load(machineconfig(replaced(CONFIG, units=(kubelet,)), version="4.20"))
    assert read["spec"]["config"]["systemd"]["units"] == [
        {"name": "kubelet.service", "dropins": [{"name": "a.conf", "contents": "[Unit]\nAfter=b\n"}]}
    ]
