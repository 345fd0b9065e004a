"""A bound tree is never left, whatever its links say."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from hostagent.host import Host, Problem
from hostagent.host.limits import TEXT_BYTES as LIMIT
from hostagent.host.reader import RootError
from hostagent.host.tree import BoundTree, LiveTree
from tests.plant import plant, reader, unreadable


def test_links_are_resolved_inside_the_root(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("outside")
    root = plant(
        tmp_path / "root",
        {"sys/inside": "in", "sys/secret": "ours", "secret": "ours too"},
        {
            "sys/absolute": "/sys/inside",
            "sys/climbs": "../../../../../sys/inside",
            "sys/out": "../../secret",
            "sys/directory": "/sys",
            "sys/chain": "directory/absolute",
        },
    )
    look = reader(root)
    assert [look.text(f"sys/{name}") for name in ("absolute", "climbs", "out", "chain")] == [
        "in",
        "in",
        "ours too",
        "in",
    ]
    assert look.text("sys/directory/directory/inside") == "in"
    assert look.problems == []


def test_every_absence_is_none_without_a_problem(tmp_path: Path) -> None:
    root = plant(tmp_path, {"sys/file": "x"}, {"sys/dangling": "nowhere"})
    look = reader(root)
    assert look.text("sys/missing") is None
    assert look.text("sys/file/below") is None
    assert look.text("sys/dangling") is None
    assert look.names("sys/missing") == ()
    assert look.names("sys/file") == ()
    assert look.link("sys/missing") is None
    assert look.link("sys/file") is None
    assert look.target("sys/dangling") == "nowhere"
    assert not look.exists("sys/missing")
    assert look.exists("sys/dangling")
    assert look.problems == []


def test_trouble_is_none_with_a_problem(tmp_path: Path) -> None:
    root = plant(tmp_path, {"sys/bad": "twelve", "sys/flag": "maybe"}, directories=("sys/directory",))
    unreadable(root, "sys/loop")
    os.mkfifo(root / "sys/fifo")
    look = reader(root)
    assert look.text("sys/loop") is None
    assert look.text("sys/directory") is None
    assert look.integer("sys/bad") is None
    assert look.flag("sys/flag") is None
    assert look.text("sys/fifo") is None
    assert [(p.path, p.kind, p.detail) for p in look.problems] == [
        ("sys/loop", "unreadable", "ELOOP: Too many levels of symbolic links"),
        ("sys/directory", "unreadable", "EISDIR: Is a directory"),
        ("sys/bad", "malformed", "expected a whole number, saw 'twelve'"),
        ("sys/flag", "malformed", "expected Y, N, 1 or 0, saw 'maybe'"),
        ("sys/fifo", "not-regular", "not a regular file: a FIFO"),
    ]


def test_an_endless_file_is_a_problem(tmp_path: Path) -> None:
    root = plant(tmp_path, {"proc/huge": ""})
    os.truncate(root / "proc/huge", LIMIT + 1)
    look = reader(root)
    assert look.raw("proc/huge") is None
    assert [p.kind for p in look.problems] == ["too-large"]


def test_an_errno_that_means_absence_here_can_be_tolerated(tmp_path: Path) -> None:
    root = plant(tmp_path, {})
    unreadable(root, "sys/speed")
    look = reader(root)
    assert look.text("sys/speed", tolerate=(errno.ELOOP,)) is None
    assert look.problems == []


def test_one_file_is_read_once_and_both_readers_learn_of_its_problem(tmp_path: Path) -> None:
    root = plant(tmp_path, {"sys/file": "one"})
    unreadable(root, "sys/loop")
    host = Host(str(root))
    first, second = host.reader(), host.reader()
    assert first.text("sys/file") == "one"
    (root / "sys/file").write_text("two")
    assert second.text("sys/file") == "one"
    assert first.text("sys/loop") is second.text("sys/loop") is None
    assert first.problems == second.problems != []


def test_a_live_tree_and_a_bound_tree_read_the_same(tmp_path: Path) -> None:
    root = plant(tmp_path, {"sys/a/b/file": "x" * 5000}, {"sys/link": "a/b", "sys/a/back": "../link"})
    live, bound = LiveTree(str(root)), BoundTree(str(root))
    for path in ("sys/link/file", "sys/a/back/file", "sys/a/b/file"):
        assert live.read(path) == bound.read(path)
        assert live.resolve(path) == bound.resolve(path) == "sys/a/b/file"
    assert live.names("sys/link") == bound.names("sys/link") == ["file"]
    assert live.link("sys/a/back") == bound.link("sys/a/back") == "../link"
    live.close()
    bound.close()


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda at: at / "missing", "No such file or directory"),
        (lambda at: plant(at / "x", {}).parent, "holds neither sys nor proc"),
    ],
)
def test_a_root_that_is_no_machine_is_refused(tmp_path: Path, make: object, said: str) -> None:
    root = make(tmp_path)  # type: ignore[operator]
    with pytest.raises(RootError, match=said):
        Host(str(root))


def test_problems_are_not_repeated(tmp_path: Path) -> None:
    root = plant(tmp_path, {"sys/bad": "x"})
    look = reader(root)
    look.integer("sys/bad")
    look.integer("sys/bad")
    assert look.problems == [Problem(path="sys/bad", kind="malformed", detail="expected a whole number, saw 'x'")]


def test_a_host_that_nobody_closed_keeps_no_descriptor(tmp_path: Path) -> None:
    root = plant(tmp_path, {"sys/file": "x"})
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(5):
        assert Host(str(root)).reader().text("sys/file") == "x"
    host = Host(str(root))
    host.close()
    host.close()
    assert len(os.listdir("/proc/self/fd")) == before
