"""modules-load.d."""

from __future__ import annotations

from hostagent.render.files import File
from hostagent.render.modules_load import as_in_the_manual, modules_load
from tests.plan.machines import worker
from tests.plan.profiles import devices, planned, profile

HEAD = "# Written by hostagent from a profile: change that and render again.\n"
BOTH = "devices: [{id: '10de:1eb8', resourceName: nvidia.com/T4}]\nwatchdog: {module: softdog}\n"
SOFTDOG = File(path="/etc/modules-load.d/hostagent.conf", mode=0o644, text=HEAD + "# watchdog\nsoftdog\n")


def test_vfio_and_the_watchdog_each_in_its_file() -> None:
    text = HEAD + "# devices[0] (nvidia.com/T4)\nvfio-pci\n"
    vfio = File(path="/etc/modules-load.d/vfio-pci.conf", mode=0o644, text=text)
    assert modules_load(planned(profile(BOTH), worker())) == (vfio, SOFTDOG)


def test_the_manuals_file_has_the_manuals_text() -> None:
    vfio = File(path="/etc/modules-load.d/vfio-pci.conf", mode=0o644, text="vfio-pci")
    assert as_in_the_manual(planned(profile(BOTH), worker())) == (vfio, SOFTDOG)


def test_a_built_in_driver_is_not_loaded() -> None:
    built_in = worker().built_in("drivers/vfio/pci/vfio-pci")
    assert modules_load(planned(devices("id: 10de:1eb8"), built_in)) == ()
