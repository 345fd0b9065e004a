"""systemd's side played by real sockets."""

from __future__ import annotations

import fcntl
import os
import secrets
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from hostagent.daemon.sdnotify import Notifier, inherited


@contextmanager
def manager(address: str) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
        sock.bind(address)
        sock.settimeout(2)
        yield sock


def test_messages_to_a_path_socket(tmp_path: Path) -> None:
    path = str(tmp_path / "notify")
    with manager(path) as sock:
        notifier = Notifier({"NOTIFY_SOCKET": path})
        assert notifier.ready("6 functions, 2 findings")
        assert sock.recv(4096) == b"READY=1\nSTATUS=6 functions, 2 findings"
        assert notifier.status("two\nlines")
        assert sock.recv(4096) == b"STATUS=two lines"
        assert notifier.alive()
        assert sock.recv(4096) == b"WATCHDOG=1"
        assert notifier.extend(1.5)
        assert sock.recv(4096) == b"EXTEND_TIMEOUT_USEC=1500000"
        assert notifier.stopping()
        assert sock.recv(4096) == b"STOPPING=1"


def test_reloading_carries_the_monotonic_clock(tmp_path: Path) -> None:
    path = str(tmp_path / "notify")
    with manager(path) as sock:
        before = time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000
        assert Notifier({"NOTIFY_SOCKET": path}).reloading()
        first, second = sock.recv(4096).decode().split("\n")
        assert first == "RELOADING=1"
        name, _, usec = second.partition("=")
        assert name == "MONOTONIC_USEC"
        assert before <= int(usec) <= time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000


def test_abstract_socket() -> None:
    name = f"hostagent-test-{secrets.token_hex(8)}"
    with manager("\0" + name) as sock:
        assert Notifier({"NOTIFY_SOCKET": f"@{name}"}).alive()
        assert sock.recv(4096) == b"WATCHDOG=1"


def test_outside_systemd_nothing_happens() -> None:
    notifier = Notifier({})
    assert not notifier.ready("x")
    assert notifier.watchdog_seconds is None


def test_vanished_manager_is_survived_and_logged(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    assert not Notifier({"NOTIFY_SOCKET": str(tmp_path / "gone")}).ready("x")
    assert caplog.messages == ["systemd does not take READY=1: [Errno 2] No such file or directory"]


def test_full_manager_does_not_block(tmp_path: Path) -> None:
    path = str(tmp_path / "notify")
    with manager(path):
        notifier = Notifier({"NOTIFY_SOCKET": path})
        assert not all(notifier.alive() for _ in range(2000))  # a blocked send would never end


def test_unknown_kind_of_address_is_said_and_ignored(caplog: pytest.LogCaptureFixture) -> None:
    assert not Notifier({"NOTIFY_SOCKET": "vsock:2:1234"}).alive()
    assert "neither a path nor an abstract name" in caplog.text


@pytest.mark.parametrize(
    ("environ", "seconds"),
    [
        ({"WATCHDOG_USEC": "60000000", "WATCHDOG_PID": str(os.getpid())}, 60.0),
        ({"WATCHDOG_USEC": "1500000"}, 1.5),
        ({"WATCHDOG_USEC": "60000000", "WATCHDOG_PID": "1"}, None),
        ({"WATCHDOG_USEC": "0"}, None),
        ({"WATCHDOG_USEC": "soon"}, None),
        ({}, None),
    ],
)
def test_watchdog_interval(environ: dict[str, str], seconds: float | None) -> None:
    assert Notifier(environ).watchdog_seconds == seconds
    assert environ == {}


@contextmanager
def descriptors(*socks: int) -> Iterator[int]:
    """The descriptors, duplicated to consecutive high numbers as systemd would at 3; whoever takes them closes them."""
    first = 200
    for place, number in enumerate(socks):
        assert fcntl.fcntl(number, fcntl.F_DUPFD, first + place) == first + place
    yield first


def test_inherited_listeners() -> None:
    environ = {"LISTEN_FDS": "2", "LISTEN_PID": str(os.getpid()), "LISTEN_FDNAMES": "web:", "PATH": "/bin"}
    with socket.create_server(("127.0.0.1", 0)) as one, socket.create_server(("127.0.0.1", 0)) as two:
        with descriptors(one.fileno(), two.fileno()) as first:
            found = inherited(environ, first=first)
        assert [item.name for item in found] == ["web", "unknown"]
        assert [item.socket.getsockname() for item in found] == [one.getsockname(), two.getsockname()]
        for item in found:
            assert not item.socket.get_inheritable()
            assert item.socket.gettimeout() == 0.0
            item.socket.close()
    assert environ == {"PATH": "/bin"}


@pytest.mark.parametrize(
    "environ",
    [
        {},
        {"LISTEN_FDS": "1", "LISTEN_PID": "1", "LISTEN_FDNAMES": "web"},
        {"LISTEN_FDS": "many", "LISTEN_PID": str(os.getpid())},
        {"LISTEN_FDS": "0", "LISTEN_PID": str(os.getpid())},
    ],
)
def test_nothing_inherited(environ: dict[str, str]) -> None:
    assert inherited(environ) == ()
    assert environ == {}


def test_what_is_no_listener_is_closed_and_logged(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    environ = {"LISTEN_FDS": "4", "LISTEN_PID": str(os.getpid()), "LISTEN_FDNAMES": "file:datagram:unbound"}
    with (
        (tmp_path / "file").open("w") as file,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as datagram,
        socket.socket() as stream,
    ):
        with descriptors(file.fileno(), datagram.fileno(), stream.fileno()) as first:
            assert inherited(environ, first=first) == ()
        for number in range(first, first + 4):
            with pytest.raises(OSError, match="Bad file descriptor"):
                os.fstat(number)
    assert caplog.messages == [
        f"descriptor {first + place} ({name}) from systemd is not a listening stream socket"
        for place, name in enumerate(("file", "datagram", "unbound", "unknown"))
    ]


def test_a_process_started_as_systemd_starts_it() -> None:
    program = (
        "import os, sys\n"
        "from hostagent.daemon.sdnotify import inherited\n"
        "os.dup2(int(sys.argv[1]), 3)\n"
        "os.environ['LISTEN_PID'] = str(os.getpid())\n"
        "(item,) = inherited(os.environ)\n"
        "print(item.name, item.socket.getsockname()[1], item.socket.fileno(), 'LISTEN_FDS' in os.environ)\n"
    )
    with socket.create_server(("127.0.0.1", 0)) as listening:
        done = subprocess.run(
            [sys.executable, "-c", program, str(listening.fileno())],
            env={"LISTEN_FDS": "1", "LISTEN_FDNAMES": "web"},
            pass_fds=(listening.fileno(),),
            capture_output=True,
            text=True,
            check=False,
        )
        assert (done.stdout, done.stderr) == (f"web {listening.getsockname()[1]} 3 False\n", "")
