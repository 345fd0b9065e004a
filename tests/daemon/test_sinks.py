"""Files that cannot be written, and can be again; NFD's expiry; files somebody else removed."""

from __future__ import annotations

import logging
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from hostagent.daemon.sinks import RETRY_AT_MOST, RETRY_SECONDS, Sink


class Clock:
    def __init__(self) -> None:
        self.now = 1_795_360_784.0

    def __call__(self) -> float:
        return self.now


def sink(path: Path, clock: Clock, *, expiry: float | None = None, fresh: float | None = None) -> Sink:
    return Sink(name="file", path=str(path), mode=0o644, expiry=expiry, fresh=fresh, clock=clock)


def test_nothing_to_write() -> None:
    empty = sink(Path("/nonexistent/file"), Clock())
    empty.write()
    assert (empty.wanted(), empty.due_in(), empty.success) == (False, None, None)


def test_written_once_and_again_when_it_changed(tmp_path: Path) -> None:
    clock = Clock()
    one = sink(tmp_path / "file", clock)
    one.offer(b"a")
    one.write()
    first = os.stat(tmp_path / "file").st_ino
    one.offer(b"a")
    assert not one.wanted()
    assert one.due_in() is None
    clock.now += 100_000
    assert not one.wanted()
    one.write()
    assert os.stat(tmp_path / "file").st_ino == first
    one.offer(b"b")
    one.write()
    assert (tmp_path / "file").read_bytes() == b"b"


def test_nfd_expiry_is_written_anew_before_it_passes(tmp_path: Path) -> None:
    clock = Clock()
    one = sink(tmp_path / "file", clock, expiry=600, fresh=300)
    one.offer(b"hostagent.io/a=1\n")
    one.write()
    assert (tmp_path / "file").read_bytes() == b"# +expiry-time=2026-11-22T15:29:44Z\nhostagent.io/a=1\n"
    assert one.due_in() is None  # nothing that was not seen again
    clock.now += 299
    one.confirm()
    assert one.due_in() == 1
    assert not one.wanted()
    clock.now += 1
    one.confirm()
    assert one.due_in() == 0
    one.write()
    assert (tmp_path / "file").read_bytes() == b"# +expiry-time=2026-11-22T15:34:44Z\nhostagent.io/a=1\n"


def test_a_clock_that_was_set_back_renews_the_expiry(tmp_path: Path) -> None:
    clock = Clock()
    one = sink(tmp_path / "file", clock, expiry=600, fresh=300)
    one.offer(b"")
    one.write()
    clock.now -= 3600
    one.confirm()
    assert one.wanted()


def test_labels_nobody_confirms_are_not_renewed(tmp_path: Path) -> None:
    clock = Clock()
    one = sink(tmp_path / "file", clock, expiry=600, fresh=300)
    one.offer(b"")
    one.write()
    clock.now += 100
    one.confirm()
    clock.now += 800  # no survey since
    one.write()
    assert (tmp_path / "file").read_bytes() == b"# +expiry-time=2026-11-22T15:31:24Z\n"
    clock.now += 10_000
    assert (one.wanted(), one.due_in()) == (False, None)
    os.unlink(tmp_path / "file")
    one.write()  # as it was, though long expired
    assert (tmp_path / "file").read_bytes() == b"# +expiry-time=2026-11-22T15:31:24Z\n"


def test_a_file_nobody_asks_for_is_removed_if_it_is_still_ours(tmp_path: Path) -> None:
    one = sink(tmp_path / "file", Clock())
    one.remove()
    for content, left in ((b"a", []), (b"b", ["file"])):
        one.offer(content)
        one.write()
        if content == b"b":
            (tmp_path / "file").write_bytes(b"of somebody else")
        one.remove()
        assert os.listdir(tmp_path) == left


@pytest.mark.parametrize(
    "act", [os.unlink, lambda path: Path(path).write_bytes(b"x"), lambda path: os.utime(path, (1, 1))]
)
def test_what_somebody_did_to_the_file_is_undone(tmp_path: Path, act: object) -> None:
    one = sink(tmp_path / "file", Clock())
    one.offer(b"content")
    one.write()
    assert callable(act)
    act(str(tmp_path / "file"))
    assert one.wanted()
    one.write()
    assert (tmp_path / "file").read_bytes() == b"content"


def test_a_missing_directory_is_said_once_and_recovered_from(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    clock, place = Clock(), tmp_path / "absent" / "file"
    one = sink(place, clock)
    one.offer(b"a")
    one.write()
    assert one.success is False
    waits = []
    for _ in range(6):
        wait = one.due_in()
        assert wait is not None
        assert not one.wanted()
        waits.append(wait)
        clock.now += wait
        assert one.wanted()
        one.write()
    assert waits == [RETRY_SECONDS, 10, 20, 40, RETRY_AT_MOST, RETRY_AT_MOST]
    place.parent.mkdir()
    clock.now += RETRY_AT_MOST
    one.write()
    assert place.read_bytes() == b"a"
    assert (one.success, one.due_in()) == (True, None)
    assert caplog.messages == [
        f"file: {place} cannot be written: No such file or directory",
        f"file: {place} is written again",
    ]


def test_another_reason_is_another_line(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    clock, place = Clock(), tmp_path / "absent" / "file"
    one = sink(place, clock)
    one.offer(b"a")
    one.write()
    place.mkdir(parents=True)
    clock.now += RETRY_SECONDS
    one.write()
    assert caplog.messages == [
        f"file: {place} cannot be written: No such file or directory",
        f"file: {place} cannot be written: Is a directory",
    ]


def test_new_content_does_not_wait_for_the_next_try(tmp_path: Path) -> None:
    one = sink(tmp_path / "absent" / "file", Clock())
    one.offer(b"a")
    one.write()
    assert not one.wanted()
    one.offer(b"b")
    assert one.wanted()


def mounted(tmp_path: Path, options: str) -> Iterator[Path]:
    place = tmp_path / "mounted"
    place.mkdir()
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", place], capture_output=True, check=False)
    if done.returncode:
        pytest.skip("nothing can be mounted here")
    yield place
    subprocess.run(["umount", place], check=True)


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Path]:
    yield from mounted(tmp_path, "size=16k")


def test_a_full_disk_keeps_the_old_file(small: Path, caplog: pytest.LogCaptureFixture) -> None:
    clock = Clock()
    one = sink(small / "file", clock)
    one.offer(b"old")
    one.write()
    one.offer(b"n" * 100_000)
    one.write()
    assert one.success is False
    assert (small / "file").read_bytes() == b"old"
    assert os.listdir(small) == ["file"]
    assert caplog.messages == [f"file: {small / 'file'} cannot be written: No space left on device"]
    one.offer(b"new")
    one.write()
    assert (one.success, (small / "file").read_bytes()) == (True, b"new")
    one.release()


def test_a_read_only_directory(small: Path, caplog: pytest.LogCaptureFixture) -> None:
    clock = Clock()
    one = sink(small / "file", clock)
    one.offer(b"old")
    one.write()
    subprocess.run(["mount", "-o", "remount,ro", small], check=True)
    one.offer(b"new")
    one.write()
    assert caplog.messages == [f"file: {small / 'file'} cannot be written: Read-only file system"]
    subprocess.run(["mount", "-o", "remount,rw", small], check=True)
    clock.now += RETRY_SECONDS
    one.write()
    assert (one.success, (small / "file").read_bytes()) == (True, b"new")
    one.release()
