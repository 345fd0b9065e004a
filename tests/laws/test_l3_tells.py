"""L3: machines that differ in what labels say have different labels, and machines that do not have the same."""

from __future__ import annotations

from typing import NamedTuple

from hypothesis import given
from hypothesis import strategies as st

from hostagent.assess.readiness import readiness
from hostagent.publish.judged import labels
from hostagent.report import DEFAULT_LABEL_OPTIONS
from tests.plan.machines import NIC, NIC_CLASS, Machine

PAGES = "sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages"


class Facts(NamedTuple):
    """What is different; each field shows in a label of its own, or in several."""

    nics: int
    bound: bool
    pages: int
    ksm: bool
    swap: bool
    uefi: bool
    flag: bool
    translated: bool


def told(facts: Facts) -> dict[str, str]:
    machine = Machine()
    for number in range(facts.nics):
        driver = "vfio-pci" if facts.bound and number == 0 else "e1000e"
        machine.function(f"0000:0{number + 1}:00.0", NIC, NIC_CLASS, driver=driver, group=number)
    machine.put({PAGES: f"{facts.pages}\n", "sys/kernel/mm/ksm/run": f"{int(facts.ksm)}\n"})
    flags = "fpu pse pdpe1gb lm vmx" + (" avx2" if facts.flag else "")
    machine.put({"proc/cpuinfo": f"processor\t: 0\nvendor_id\t: GenuineIntel\nflags\t\t: {flags}\n\n"})
    if facts.swap:
        machine.put({"proc/meminfo": machine.files["proc/meminfo"] + "SwapTotal: 8 kB\n"})
    if facts.uefi:
        machine.put({"sys/firmware/efi/fw_platform_size": "64\n"})
    if facts.translated:
        machine.put({"proc/interrupts": "  24:   1  IR-PCI-MSI-0000:00:02.0  0-edge  PCIe bwctrl\n"})
    report = machine.report()
    return labels(report, readiness(report), DEFAULT_LABEL_OPTIONS)


_facts = st.builds(
    Facts,
    nics=st.integers(1, 3),
    bound=st.booleans(),
    pages=st.integers(0, 3),
    ksm=st.booleans(),
    swap=st.booleans(),
    uefi=st.booleans(),
    flag=st.booleans(),
    translated=st.booleans(),
)


@given(_facts, st.data())
def test_one_fact_that_labels_tell_makes_other_labels(facts: Facts, data: st.DataObject) -> None:
    field = data.draw(st.sampled_from(Facts._fields))
    other = facts._replace(**{field: getattr(data.draw(_facts), field)})
    assert (told(facts) == told(other)) == (facts == other)
