"""L8: the report's own JSON is what pydantic makes of it, and pydantic reads it back as the same report."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from hostagent.cli import main
from hostagent.host import Host
from hostagent.report import survey
from hostagent.schema import adapter, read_report
from hostagent.values.plain import json_text, plain
from tests.documented import report_schema
from tests.plant import pci_function, plant
from tests.roots import roots


@pytest.mark.parametrize("root", roots())
def test_own_json_equals_pydantics(root: str) -> None:
    host = Host(root, thorough=True)
    report = survey(host)
    host.close()
    own = plain(report)
    assert own == adapter().dump_python(report, mode="json")
    text = json_text(report)
    assert json.loads(text) == own
    assert read_report(text, root) == report
    report_schema().validate(own)


def test_names_that_are_not_utf8_read_back(tmp_path: Path) -> None:
    root = plant(tmp_path, pci_function("0000:00:01.0"), {"sys/bus/pci/devices/0000:00:01.0/driver": "../x/drv\udcff"})
    os.makedirs(os.fsencode(root) + b"/sys/class/net/eth\xff/queues")
    report = survey(Host(str(root)))
    read = read_report(json_text(report), str(root))
    assert json_text(read) == json_text(report)
    assert read.network is not None
    assert read.network.data is not None
    assert [link.name for link in read.network.data.links] == [r"eth\udcff"]
    assert main(["probe", "--root", str(root), "-o", "prom"]) == 0
