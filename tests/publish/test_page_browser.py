"""The page in a real browser: it asks for nothing, complains of nothing, fits a phone, and knows day from night."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from hostagent.advice import advise
from hostagent.publish.page import page
from hostagent.report import problems
from tests.publish import browser
from tests.publish.page_machine import HOSTILE, every_state, finding, hostile
from tests.publish.screenshot import SCHEMES
from tests.publish.shown_machine import shown
from tests.roots import CAPTURES, REPOSITORY, fixtures, surveyed

pytestmark = pytest.mark.skipif(browser.found() is None, reason=browser.PACKAGE)

_WIDE = "Math.max(document.documentElement.scrollWidth, document.body.scrollWidth)"
_COLOURS = """[...document.querySelectorAll("body, .verdict, .box, .sign")].map(one => {
  const style = getComputedStyle(one); return [style.color, style.backgroundColor, style.borderTopColor].join() })"""
_OPEN = "document.querySelectorAll('details').forEach(one => one.open = true)"


@pytest.fixture(scope="module")
def tab() -> Iterator[browser.Browser]:
    # Chromium writes to its home until it is gone.
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as home, browser.running(Path(home)) as running:
        yield running


def _write(tmp_path: Path, markup: bytes) -> Path:
    path = tmp_path / "page.html"
    path.write_bytes(markup)
    return path


def _sound(tab: browser.Browser, path: Path, *, scheme: str, widths: tuple[int, ...] = (320,)) -> None:
    tab.open(path, width=widths[0], scheme=scheme)
    tab.value(_OPEN)
    for width in widths:
        tab.resize(width=width, scheme=scheme)
        assert tab.value(_WIDE) == width
    # A data: icon may or may not be asked for; it is in the page.
    assert [url for url in tab.requests() if not url.startswith("data:")] == [path.as_uri()]
    assert tab.complaints() == []
    assert tab.value("document.compatMode") == "CSS1Compat"


def test_every_state_on_a_phone_and_a_desk_by_day_and_night(tab: browser.Browser, tmp_path: Path) -> None:
    findings = (finding("BLOCKER"), finding("WARNING", code="other"), finding("NOTE", code="third"))
    path = _write(tmp_path, page(every_state(tmp_path / "root"), findings, title="worker-0"))
    seen = {}
    for scheme in ("light", "dark"):
        _sound(tab, path, widths=(360, 740, 1280), scheme=scheme)
        seen[scheme] = tab.value(_COLOURS)
    pairs = list(zip(seen["light"], seen["dark"], strict=True))
    assert len(pairs) > 10
    assert all(light != dark for light, dark in pairs)
    # The style is in force, or its hash would not match the policy: bars are drawn, states differ.
    assert tab.value("getComputedStyle(document.querySelector('.bar .used')).fill") != "rgb(0, 0, 0)"
    assert (
        tab.value("new Set([...document.querySelectorAll('.box')].map(one => getComputedStyle(one).border)).size") > 3
    )


_CHIPS = "[...document.querySelectorAll('.legend .sign, .counts .sign')].map(one => one.getBoundingClientRect().height)"
_SMALL = """[...document.querySelectorAll("main *, .top *")].filter(one => {
  const text = [...one.childNodes].some(node => node.nodeType === 3 && node.data.trim());
  return text && parseFloat(getComputedStyle(one).fontSize) < (one.tagName === "CODE" ? 13 : 12)
}).map(one => one.outerHTML)"""


@pytest.mark.parametrize("width", [320, 390])
def test_on_a_phone_no_chip_is_broken_and_nothing_is_too_small_to_read(
    tab: browser.Browser, tmp_path: Path, width: int
) -> None:
    findings = (finding("BLOCKER"), finding("WARNING", code="other"))
    path = _write(tmp_path, page(every_state(tmp_path / "root"), findings, title="worker-0"))
    _sound(tab, path, widths=(width,), scheme="light")
    heights = tab.value(_CHIPS)
    assert len(heights) > 6
    assert max(heights) < 24
    assert tab.value(_SMALL) == []


def test_hostile_text_runs_nothing_and_breaks_nothing(tab: browser.Browser, tmp_path: Path) -> None:
    evil = finding(HOSTILE, code=HOSTILE, subject=HOSTILE * 4, sentence=HOSTILE)
    path = _write(tmp_path, page(hostile(tmp_path / "root"), (evil,), title=HOSTILE * 3))
    _sound(tab, path, scheme="light")
    assert tab.value("document.querySelectorAll('script, img').length") == 0


def test_the_policy_stops_a_script_that_slipped_in(tab: browser.Browser, tmp_path: Path) -> None:
    markup = page(every_state(tmp_path / "root"))
    slipped = b"<script>document.title = 'run'</script><img src='http://127.0.0.1:9/'>"
    path = _write(tmp_path, markup.replace(b"<main>", b"<main>" + slipped))
    tab.open(path, width=360, scheme="light")
    assert tab.value("document.title") == "hostagent: node page"
    answered = [event for event in tab.events if event.get("method") == "Network.responseReceived"]
    assert not any(event["params"]["response"]["url"].startswith("http") for event in answered)
    assert len(tab.complaints()) >= 1


def test_the_machine_on_the_pictures_shows_all_and_fits(tab: browser.Browser, tmp_path: Path) -> None:
    report = shown()
    assert problems(report) == ()
    made = page(report, advise(report), since=0.0)
    ids = ("findings", "groups", "memory", "machine", "watchdogs", "stands")
    assert all(f'id="{one}"'.encode() in made for one in ids)
    _sound(tab, _write(tmp_path, made), widths=(320, 390, 1280), scheme="dark")
    # The README names what screenshot.py makes.
    readme = (REPOSITORY / "README.md").read_text()
    for name in (f"docs/images/node-page-{scheme}.webp" for scheme in SCHEMES):
        assert name in readme
        assert (REPOSITORY / name).stat().st_size < 400_000


_MACHINES = [*map(str, fixtures()), str(CAPTURES / "checkbox__NVIDIA_DGXA100.tar.gz")]


@pytest.mark.parametrize("root", _MACHINES, ids=lambda root: Path(root).name)
def test_real_machines_fit_a_phone(tab: browser.Browser, tmp_path: Path, root: str) -> None:
    if not Path(root).exists():
        pytest.skip(f"no {root}: set HOSTAGENT_CAPTURES")
    report = surveyed(root)
    _sound(tab, _write(tmp_path, page(report, advise(report))), scheme="dark")
    assert tab.value(_SMALL) == []
