"""Only regular files are opened, whoever names them."""

from __future__ import annotations

import errno
import os
import threading
from pathlib import Path

import pytest

from hostagent.cli import main
from hostagent.cli.entry import UsageError
from hostagent.cli.inputs import content as given
from hostagent.daemon.configured import ConfigError, Said, configured
from hostagent.daemon.webconfig import WebConfigError, WebConfigFile
from hostagent.host import Host
from hostagent.host.limits import CONFIGURED_BYTES, GIVEN_BYTES
from hostagent.host.regular import NotRegularError, TooLargeError, content, opened
from hostagent.publish.whole import write_whole
from tests.nodes import Opened, nodes, put_node


@pytest.mark.parametrize("kind", nodes())
def test_no_node_is_opened(tmp_path: Path, kind: str) -> None:
    put_node(tmp_path / "node", kind)
    os.symlink("node", tmp_path / "link")
    witness = Opened()
    witness.watch(tmp_path / "node")
    for name in ("node", "link"):
        with pytest.raises(NotRegularError) as refused:
            opened(str(tmp_path / name))
        assert refused.value.strerror == f"not a regular file: {kind}"
    assert witness.paths() == []
    # The witness sees an open that does happen.
    if kind in ("a character device", "a FIFO"):
        os.close(os.open(tmp_path / "node", os.O_RDONLY | os.O_NONBLOCK))
        assert witness.paths() == [tmp_path / "node"]
    witness.close()


@pytest.mark.skipif(not os.path.exists("/dev/null"), reason="no /dev/null here")
def test_what_is_masked_is_not_there(tmp_path: Path) -> None:
    """`systemctl mask` and their like link a unit, a rule or a modprobe.d file to /dev/null: no trouble, and nothing asked."""
    for root, target in (("live", "/dev/null"), ("tree", "../../../../dev/null")):
        at = tmp_path / root / "etc/systemd/system"
        at.mkdir(parents=True)
        (tmp_path / root / "sys").mkdir()
        os.symlink(target, at / "tmp.mount")
    (tmp_path / "tree/dev").mkdir()
    put_node(tmp_path / "tree/dev/null", "a FIFO")
    for root in ("live", "tree"):
        reader = Host(str(tmp_path / root)).reader()
        assert reader.text("etc/systemd/system/tmp.mount") is None
        assert reader.problems == []


@pytest.mark.parametrize("kind", nodes())
def test_every_file_that_a_person_names_has_to_be_one(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], kind: str
) -> None:
    node = tmp_path / "node"
    put_node(node, kind)
    said = f"{node}: not a regular file: {kind}"
    with pytest.raises(UsageError, match=said):
        given(str(node))
    config = Said(
        config=str(node), profile=None, listen=None, web_config=None, log_level=None, sinks=None, node_name=None
    )
    with pytest.raises(ConfigError, match=said):
        configured(config)
    with pytest.raises(WebConfigError, match=said):
        WebConfigFile(str(node))
    profile = tmp_path / "profile.yaml"
    profile.write_text("platform:\n  name: openshift\n  version: 4.20\n")
    for command in (
        ("check", "--profile", node),
        ("render", "modprobe", "--profile", node),
        ("render", "modprobe", "--profile", profile, "--report", node),
        ("render", "kubevirt", "--profile", profile, "--update", node),
    ):
        assert main([*map(str, command)]) == 2
        assert capsys.readouterr() == ("", f"hostagent: {said}\n"), command
    with pytest.raises(NotRegularError, match=f"not a regular file: {kind}"):
        write_whole(str(node), b"x", mode=0o644)
    assert not node.is_file()
    assert sorted(tmp_path.iterdir()) == [node, profile]


def test_what_is_neither_node_nor_file_fails_as_to_open_it_would(tmp_path: Path) -> None:
    os.symlink("missing", tmp_path / "link")
    for path, follow, number in (
        (".", True, errno.EISDIR), ("link", False, errno.ELOOP), ("link", True, errno.ENOENT), ("x", True, errno.ENOENT),
    ):  # fmt: skip
        with pytest.raises(OSError, match=r".") as failed:
            opened(str(tmp_path / path), follow=follow)
        assert failed.value.errno == number


def test_a_file_is_read_up_to_its_limit(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"x" * 100_000)
    os.symlink("file", tmp_path / "link")
    assert content(str(tmp_path / "link"), 100_000) == b"x" * 100_000
    with pytest.raises(TooLargeError):
        content(str(tmp_path / "link"), 99_999)
    fd, size = opened("file", at=os.open(tmp_path, os.O_RDONLY | os.O_DIRECTORY))
    assert (os.read(fd, 3), size) == (b"xxx", 100_000)
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(3):
        content(str(tmp_path / "file"), 100_000)
    assert len(os.listdir("/proc/self/fd")) == before


def test_files_of_people_have_limits(tmp_path: Path) -> None:
    for limit, read, wrong in (
        (GIVEN_BYTES, given, UsageError),
        (CONFIGURED_BYTES, WebConfigFile, WebConfigError),
    ):
        (tmp_path / "file").touch()
        os.truncate(tmp_path / "file", limit + 1)
        with pytest.raises(wrong, match=f"file: larger than {limit} bytes"):
            read(str(tmp_path / "file"))


def test_nothing_is_opened_that_took_the_place_of_a_file(tmp_path: Path) -> None:
    """A file and a FIFO change places all the time: whoever looks first and opens by name afterwards opens the FIFO one day."""
    place, fifo = tmp_path / "place", tmp_path / "fifo"
    witness = Opened()
    os.mkfifo(fifo)
    witness.watch(fifo)
    (tmp_path / "file").write_text("x")
    ended = threading.Event()

    def swap() -> None:
        while not ended.is_set():
            for one in ("file", "fifo"):
                os.link(tmp_path / one, tmp_path / "next")
                os.rename(tmp_path / "next", place)
                # rename(2) of two links to one file does nothing, and leaves the first.
                (tmp_path / "next").unlink(missing_ok=True)

    os.link(fifo, place)
    swapping = threading.Thread(target=swap)
    swapping.start()
    seen = set()
    try:
        for _ in range(20_000):
            try:
                seen.add(content(str(place), 10))
            except NotRegularError:
                seen.add(b"refused")
            if len(seen) == 2:
                break
    finally:
        ended.set()
        swapping.join()
    assert seen == {b"x", b"refused"}
    assert witness.paths() == []
    witness.close()


@pytest.mark.skipif(os.geteuid() != 0, reason="chroot is root's")
def test_without_a_proc_of_our_own_a_file_is_not_absent_but_unread(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    child = os.fork()
    if child == 0:
        number = 0
        try:
            os.chroot(tmp_path)
            opened("/file")
        except OSError as error:
            number = error.errno or 0
        finally:
            os._exit(number)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == errno.ENOSYS
