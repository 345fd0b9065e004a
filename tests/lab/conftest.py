"""Fixtures of the lab, and its one line for each scenario."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.lab.architecture import AMD64
from tests.lab.boot import Guest, boot
from tests.lab.image import LabError, image
from tests.lab.machine import Machine
from tests.lab.pool import Images, Pool

HERE = Path(__file__).parent
# Booting under the fast init costs QEMU some 8 s of processor time where its memory is its own.
SLOW_PROCESSOR_SECONDS = 40
# With less than this only what is marked `first` begins: an image that has to be fetched takes minutes alone.
SHORTEST_SECONDS = 300
_BEGAN, _SLOW = pytest.StashKey[float](), pytest.StashKey[bool]()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--all", action="store_true", help="the scenarios marked `thorough` too")
    parser.addoption(
        "--within", type=float, metavar="SECONDS", help="for gates: what has not begun by then is left out, and said"
    )


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave `thorough` scenarios out unless all are asked for: every minute of the gates is paid at each change."""
    if not config.getoption("--all", default=False):
        left_out = [item for item in items if item.get_closest_marker("thorough")]
        items[:] = [item for item in items if item not in left_out]
        config.hook.pytest_deselected(items=left_out)
    items.sort(key=lambda item: item.get_closest_marker("first") is None)


def pytest_configure(config: pytest.Config) -> None:
    config.stash[_BEGAN], config.stash[_SLOW] = time.monotonic(), False
    config.addinivalue_line("markers", "first: runs before the others, and where emulation is slow it alone")
    config.addinivalue_line("markers", "thorough: a scenario that only `./dev lab --all` runs")
    config.addinivalue_line(
        "markers", "machine(Machine, alone=False): what the test's `guest` is; alone: no other machine boots meanwhile"
    )


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """With `--within`: nothing begins that the time left, or the emulator's speed here, does not allow; `./dev lab` runs it."""
    within = item.config.getoption("--within", default=None)
    if within is None or item.get_closest_marker("first"):
        return
    if item.config.stash[_SLOW]:
        pytest.skip(f"emulation is slow here: booting took more than {SLOW_PROCESSOR_SECONDS} s of processor time")
    if not _may_begin(item) or time.monotonic() - item.config.stash[_BEGAN] > within:
        pytest.skip(f"the {within:.0f} s for the lab were spent")


def _may_begin(item: pytest.Item) -> bool:
    """Whether all the time the lab is given is enough for it."""
    within = item.config.getoption("--within", default=None)
    return within is None or within >= SHORTEST_SECONDS or item.get_closest_marker("first") is not None


def _machines(request: pytest.FixtureRequest) -> list[tuple[str, Machine]]:
    """The scenarios that may begin, and what they boot."""
    items = [item for item in request.session.items if _may_begin(item)]
    return [(item.name, machine) for item in items if (machine := _machine(item))]


def _machine(item: pytest.Item) -> Machine | None:
    marker = item.get_closest_marker("machine")
    return marker.args[0] if marker else None


@pytest.fixture(scope="session")
def images(request: pytest.FixtureRequest) -> Images:
    """What the chosen machines boot from; without the tools to make it, the run ends with one line."""
    wanted = [AMD64, *{machine.architecture.debian: machine.architecture for _, machine in _machines(request)}.values()]
    capture = request.config.pluginmanager.get_plugin("capturemanager")
    assert capture is not None
    try:
        # Whoever waits for the first build is told so. Built side by side: one waits for the network while the other unpacks.
        with capture.global_and_fixture_disabled(), ThreadPoolExecutor() as threads:
            made = threads.map(image, wanted)
            return {architecture.debian: found for architecture, found in zip(wanted, made, strict=True)}
    except LabError as error:
        pytest.exit(str(error), returncode=1)


@pytest.fixture(scope="session")
def pool(request: pytest.FixtureRequest, images: Images, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pool]:
    made = Pool(images, tmp_path_factory.mktemp("lab"), _machines(request))
    yield made
    made.close()


@pytest.fixture
def guest(request: pytest.FixtureRequest, pool: Pool) -> Iterator[Guest]:
    """The running machine named by the test's `machine` mark."""
    machine = _machine(request.node)
    assert machine is not None, "a test that takes `guest` needs @pytest.mark.machine(...)"
    alone = request.node.get_closest_marker("machine").kwargs.get("alone", False)
    found = pool.take(request.node.name, machine, alone=alone)
    if machine.init == "fast" and found.boot_processor_seconds > SLOW_PROCESSOR_SECONDS:
        request.config.stash[_SLOW] = True
    yield found
    rest = found.processor_seconds() - found.boot_processor_seconds
    costs = f"boot {found.boot_seconds:.0f} s, processor {found.boot_processor_seconds:.0f}+{rest:.0f} s"
    request.node.user_properties.append(("costs", costs))
    found.close()


@pytest.fixture
def start(images: Images, tmp_path: Path) -> Iterator[Callable[..., Guest]]:
    """`start(machine, disk=PATH)`: machines that depend on what an earlier one said, such as the same one rebooted."""
    running: list[Guest] = []

    def begin(machine: Machine, *, disk: Path | None = None) -> Guest:
        found = boot(images[machine.architecture.debian], machine, tmp_path / f"boot{len(running)}", disk=disk)
        running.append(found)
        return found

    yield begin
    for found in running:
        found.close()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """A failure shows the end of its machine's console."""
    report = yield
    guest = getattr(item, "funcargs", {}).get("guest")
    if report.failed and isinstance(guest, Guest):
        report.sections.append(("console of the machine", guest.tail(40)))
    return report


@pytest.hookimpl(tryfirst=True)
def pytest_report_teststatus(report: pytest.TestReport) -> tuple[str, str, str] | None:
    """No dots: `pytest_runtest_logreport` below writes whole lines."""
    if report.when == "call" and report.nodeid.startswith("tests/lab/test_"):
        return report.outcome, "", report.outcome.upper()
    return None


class _Lines:
    """Writes one line for each scenario as it ends."""

    def __init__(self, reporter: pytest.TerminalReporter) -> None:
        self._reporter = reporter
        self._ended: dict[str, pytest.TestReport] = {}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if not report.nodeid.startswith("tests/lab/test_"):
            return
        if report.when == "call" or not report.passed:
            self._ended[report.nodeid] = report
        if report.when == "teardown" and report.nodeid in self._ended:
            said = dict(report.user_properties)
            self._write(self._ended.pop(report.nodeid), *(said[key] for key in ("costs", "found") if key in said))

    def _write(self, report: pytest.TestReport, *remarks: object) -> None:
        name = report.nodeid.rpartition("::")[2].removeprefix("test_")
        word = {"passed": "ok", "skipped": "skipped"}.get(report.outcome, "FAILED")
        line = f"lab: {name:<24} {word:<7} {report.duration:4.0f} s" + "".join(f"  ({remark})" for remark in remarks)
        self._reporter.write_line(line, green=report.passed, red=report.failed)


def pytest_sessionstart(session: pytest.Session) -> None:
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if reporter is not None:
        session.config.pluginmanager.register(_Lines(reporter), "lab-lines")
