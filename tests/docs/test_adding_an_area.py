"""The guide's example is code: its module is an area, and its test passes."""

from __future__ import annotations

import re
import sys
import types
from pathlib import Path

from hostagent import areas, report
from hostagent.area import Area
from hostagent.host import Host
from tests.plant import plant
from tests.roots import REPOSITORY

GUIDE = REPOSITORY / "docs" / "adding-an-area.md"


def test_the_example_is_an_area_and_its_test_passes(tmp_path: Path) -> None:
    code, test = re.findall(r"```python\n(.*?)```", GUIDE.read_text(), re.DOTALL)
    module = types.ModuleType("hostagent.areas.nvme")
    # It stays: records find the names in their annotations through their module, whenever pydantic asks.
    sys.modules[module.__name__] = module
    exec(compile(code, "nvme.py", "exec"), vars(module))
    steps: dict[str, object] = {}
    exec(compile(test, "test_nvme.py", "exec"), steps)
    steps["test_a_controller"](tmp_path)  # type: ignore[operator]
    area: Area[object] = module.AREA
    look = Host(str(plant(tmp_path / "two", {"sys/class/nvme/nvme0/state": "live\n"}))).reader()
    data = area.probe(look)
    assert list(area.labels(data, report.DEFAULT_LABEL_OPTIONS)) == [("nvme.count", "1")]
    assert [(sample.metric.name, sample.labels) for sample in area.samples(data)] == [
        ("hostagent_nvme_info", ("nvme0", "live"))
    ]
    assert not hasattr(areas, "nvme")
