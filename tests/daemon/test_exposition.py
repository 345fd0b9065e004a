"""/metrics: pieces that join to what prometheus-client would write, in gzip that everybody reads."""

from __future__ import annotations

import gzip
import shutil
import subprocess
import zlib
from pathlib import Path

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as read_openmetrics
from prometheus_client.parser import text_string_to_metric_families as read_text

from hostagent.advice import advise
from hostagent.assess.readiness import readiness
from hostagent.daemon.exposition import FINDINGS, NAMES, Exposition
from hostagent.daemon.http_negotiate import OPENMETRICS, TEXT
from hostagent.daemon.state import Snapshot
from hostagent.daemon.verdict import FINDING, finding_samples
from hostagent.host import Host
from hostagent.publish.labels import NodeLabels
from hostagent.publish.prometheus import area_families, as_text, filled
from hostagent.report import AREAS, survey
from tests.plant import pci_function, plant
from tests.roots import roots

LAST = b"# HELP last A last one.\n# TYPE last gauge\nlast 1.0\n"
PROMTOOL = shutil.which("promtool")


def snapshot(root: str) -> Snapshot:
    report = survey(Host(root))
    return Snapshot(report=report, findings=advise(report), labels=NodeLabels(labels=(), dropped=()))


def planted(tmp_path: Path, *addresses: str) -> Snapshot:
    files: dict[str, str] = {}
    for address in addresses:
        files |= pci_function(address, driver="vfio-pci")
    return snapshot(str(plant(tmp_path, files)))


def names_of(text_: str) -> set[str]:
    return {line.split()[2] for line in text_.splitlines() if line.startswith("# TYPE")}


@pytest.mark.parametrize("root", roots())
def test_all_pieces_are_the_whole(root: str) -> None:
    shot = snapshot(root)
    body, packed = Exposition(shot, None).metrics(TEXT, NAMES, LAST)
    assert gzip.decompress(packed) == body
    areas = [family for name in AREAS for family in area_families(shot.report, name, readiness(shot.report))]
    assert body == as_text([*areas, *filled((FINDING,), finding_samples(shot.findings))]) + LAST
    assert "last" in {family.name for family in read_text(body.decode())}


@pytest.mark.parametrize("root", roots())
def test_openmetrics_reads_back(root: str) -> None:
    body, packed = Exposition(snapshot(root), None).metrics(OPENMETRICS, NAMES, LAST)
    assert gzip.decompress(packed) == body
    assert body.count(b"# EOF") == 1
    found = read_openmetrics(body.decode())  # type: ignore[no-untyped-call]
    assert {family.name for family in found} >= {"hostagent_finding", "last"}


def test_gzip_is_one_member_for_readers_that_know_no_other(tmp_path: Path) -> None:
    body, packed = Exposition(planted(tmp_path, "0000:00:01.0"), None).metrics(TEXT, NAMES, LAST)
    reader = zlib.decompressobj(wbits=31)
    assert reader.decompress(packed) == body
    assert reader.eof
    assert reader.unused_data == b""


def test_chosen_areas_only(tmp_path: Path) -> None:
    body, packed = Exposition(planted(tmp_path, "0000:00:01.0"), None).metrics(TEXT, frozenset({"pci"}), LAST)
    assert names_of(body.decode()) == {metric.name for metric in AREAS["pci"].metrics} | {"last"}
    assert gzip.decompress(packed) == body


def test_none_chosen(tmp_path: Path) -> None:
    body, packed = Exposition(planted(tmp_path), None).metrics(OPENMETRICS, frozenset(), LAST)
    assert body == LAST + b"# EOF\n"
    assert gzip.decompress(packed) == body


def test_only_what_changed_is_rendered_again(tmp_path: Path) -> None:
    first = planted(tmp_path / "a", "0000:00:01.0")
    second = planted(tmp_path / "b", "0000:00:01.0", "0000:00:02.0")
    old = Exposition(first, None)
    old.metrics(TEXT, NAMES, LAST)
    new = Exposition(second, old)
    kept = {name for name, _ in old._pieces if new._pieces[name, TEXT] is old._pieces[name, TEXT]}
    changed = {name for name in AREAS if getattr(first.report, name) != getattr(second.report, name)}
    assert "pci" in changed
    assert kept == NAMES - changed - ({FINDINGS} if first.findings != second.findings else set())
    assert new.metrics(TEXT, NAMES, LAST) == Exposition(second, None).metrics(TEXT, NAMES, LAST)


def test_formats_nobody_asked_for_are_rendered_for_the_first_who_may_ask(tmp_path: Path) -> None:
    shot = planted(tmp_path, "0000:00:01.0")
    old = Exposition(shot, None)
    for unasked in (old, Exposition(shot, old)):
        assert {content_type for _, content_type in unasked._pieces} == {TEXT, OPENMETRICS}
    old.metrics(TEXT, NAMES, LAST)
    assert {content_type for _, content_type in Exposition(shot, old)._pieces} == {TEXT}


@pytest.mark.skipif(PROMTOOL is None, reason="promtool is not installed")
@pytest.mark.parametrize("root", roots())
def test_promtool_has_nothing_to_say(root: str) -> None:
    body, _ = Exposition(snapshot(root), None).metrics(TEXT, NAMES, b"")
    done = subprocess.run([str(PROMTOOL), "check", "metrics"], input=body, capture_output=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
