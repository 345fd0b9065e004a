"""Labels and metrics that judge: names and values, whatever of the machine was surveyed."""

from __future__ import annotations

from hostagent.area import LabelOptions
from hostagent.areas.vfio import IdCount
from hostagent.assess.readiness import GroupViability, Readiness
from hostagent.publish.judged import JUDGED, label_docs, labels, metrics, samples
from hostagent.report import AREAS, DEFAULT_LABEL_OPTIONS, SCHEMA_VERSION, NodeReport

_NOTHING = NodeReport(schema_version=SCHEMA_VERSION, **dict.fromkeys(AREAS))
_UNKNOWN = Readiness(iommu_enabled=None, vfio_ready=None, viable=(), counts=())
_GPU = IdCount(vendor_id="10de", device_id="1eb8", class_id="030200", total=4, bound=1, assignable=2)
_KNOWN = Readiness(
    iommu_enabled=True,
    vfio_ready=False,
    viable=(GroupViability(number=1, viable=True), GroupViability(number=7, viable=False)),
    counts=(
        _GPU,
        IdCount(vendor_id="10de", device_id="1eb8", class_id="030000", total=1, bound=0, assignable=1),
        IdCount(vendor_id="8086", device_id="1901", class_id="060400", total=1, bound=0, assignable=0),
    ),
)


def test_labels() -> None:
    assert labels(_NOTHING, _UNKNOWN, DEFAULT_LABEL_OPTIONS) == {}
    assert labels(_NOTHING, _KNOWN, DEFAULT_LABEL_OPTIONS) == {
        "iommu.enabled": "true",
        "pci-10de-1eb8.assignable": "3",
        "vfio.ready": "false",
    }
    only = LabelOptions(pci_classes=("0302",), cpu_features=())
    assert labels(_NOTHING, _KNOWN, only)["pci-10de-1eb8.assignable"] == "2"


def test_samples() -> None:
    found = [(one.metric.name, one.labels, one.value) for part in JUDGED.values() for one in part.samples(_KNOWN)]
    assert found == [
        ("hostagent_iommu_enabled", (), 1),
        ("hostagent_vfio_ready", (), 0),
        ("hostagent_iommu_group_viable", ("1",), 1),
        ("hostagent_iommu_group_viable", ("7",), 0),
    ]
    assert [one for part in JUDGED.values() for one in part.samples(_UNKNOWN)] == []
    # What an area does not have nobody judges.
    assert list(samples(_NOTHING, _KNOWN)) == []


def test_what_is_documented() -> None:
    assert {doc.key for one in AREAS.values() for doc in label_docs(one)} >= {
        "iommu.enabled",
        "iommu.vendor",
        "vfio.ready",
        "pci-<vendor>-<device>.vfio",
        "pci-<vendor>-<device>.assignable",
    }
    assert [one.name for one in metrics(AREAS["vfio"])] == [
        "hostagent_iommu_group_viable",
        "hostagent_vfio_ready",
        "hostagent_vfio_bound_functions",
    ]
