from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hostagent.host.escapes import unescaped
from hostagent.host.mounts import Mount, all_known, holding, mountinfo_line, mounts, mounts_line, swaps
from hostagent.host.redact import redacted
from tests.plant import plant, reader


@pytest.mark.parametrize(
    ("line", "mount"),
    [
        (
            r"36 35 98:0 /mnt1 /mnt/my\040disk rw,noatime master:1 - ext4 /dev/sda1 rw,errors=continue",
            Mount(
                point="/mnt/my disk",
                filesystem="ext4",
                source="/dev/sda1",
                device="98:0",
                number="98:0",
                root="/mnt1",
                more=(),
            ),
        ),
        (
            "1 0 0:2 / / rw - rootfs rootfs rw",
            Mount(point="/", filesystem="rootfs", source="rootfs", device=None, number="0:2", root="/", more=()),
        ),
        (
            "22 1 253:0 / / rw shared:1 master:2 propagate_from:3 - xfs /dev/mapper/vg-root rw",
            Mount(
                point="/",
                filesystem="xfs",
                source="/dev/mapper/vg-root",
                device="253:0",
                number="253:0",
                root="/",
                more=(),
            ),
        ),
        (
            # A mount point that is called as the separator is.
            "22 1 8:1 / - rw - ext4 /dev/sda1 rw",
            Mount(point="-", filesystem="ext4", source="/dev/sda1", device="8:1", number="8:1", root="/", more=()),
        ),
        (
            "22 1 8:1 / / rw - xfs /dev/sda1 rw,attr2,logdev=/dev/sdb1,rtdev=/dev/sdc,quota=/dev/x",
            Mount(
                point="/",
                filesystem="xfs",
                source="/dev/sda1",
                device="8:1",
                number="8:1",
                root="/",
                more=("/dev/sdb1", "/dev/sdc"),
            ),
        ),
        ("22 1 8:1 / / rw ext4 /dev/sda1 rw", None),
        ("22 1 8 / / rw - ext4 /dev/sda1 rw", None),
        ("22 1 a:1 / / rw - ext4 /dev/sda1 rw", None),
        ("22 1 8:1 / / rw - ext4", None),
        ("", None),
    ],
)
def test_lines_of_mountinfo(line: str, mount: Mount | None) -> None:
    assert mountinfo_line(line) == mount


@given(st.text())
def test_any_text_is_a_mount_or_none(text: str) -> None:
    mountinfo_line(text)
    mounts_line(text)


@given(st.text(alphabet=st.characters(exclude_categories=["Z", "C"]), min_size=1))
def test_names_come_back_as_the_kernel_escapes_them(name: str) -> None:
    escaped = name.replace("\\", r"\134").replace(" ", r"\040").replace("\n", r"\012").replace("\t", r"\011")
    assert unescaped(escaped) == name


@pytest.mark.parametrize(("text", "shown"), [(r"\x2d", r"\x2d"), ("a\\", "a\\"), (r"\777", r"\777"), (r"\04", r"\04")])
def test_other_backslashes_stay(text: str, shown: str) -> None:
    assert unescaped(text) == shown


@given(
    st.lists(
        st.sampled_from(
            ["36", "8:1", "0:35", "/", "-", "ext4", "/dev/mapper/a-b", "h:/x", "rw", "rw,logdev=/dev/sdb1"]
        ),
        max_size=14,
    )
)
def test_redaction_hides_the_source_and_changes_no_mount(fields: list[str]) -> None:
    line = " ".join(fields)
    seen, hidden = mountinfo_line(line), mountinfo_line(redacted("proc/1/mountinfo", line.encode()).decode())
    assert (seen is None) == (hidden is None)
    if seen is not None and hidden is not None:
        assert (hidden.device, hidden.filesystem) == (seen.device, seen.filesystem)
        assert hidden.source.startswith("/dev/") == seen.source.startswith("/dev/")
        assert "a-b" not in hidden.source


def test_the_deepest_and_last_mount_holds_a_file() -> None:
    def mount(point: str, source: str) -> Mount:
        return Mount(point=point, filesystem="ext4", source=source, device=None, number=None, root=None, more=())

    found = (mount("/", "a"), mount("/var", "b"), mount("/var/lib", "c"), mount("/var/lib", "d"), mount("/", "e"))
    assert [
        one and one.source
        for one in (holding(found, path) for path in ("/var/lib/x", "/var/library", "/var/lib", "/x", "/"))
    ] == ["d", "b", "d", "e", "e"]
    assert holding((mount("/var", "b"),), "/x") is None


@pytest.mark.parametrize("place", ["proc/1/mounts", "proc/self/mounts", "proc/mounts"])
def test_tables_without_numbers(tmp_path: Path, place: str) -> None:
    seen = reader(plant(tmp_path, {place: "/dev/sda1 / ext4 rw 0 0\nshort line\n", "proc/1/mountinfo": "\n"}))
    assert mounts(seen) == (
        Mount(point="/", filesystem="ext4", source="/dev/sda1", device=None, number=None, root=None, more=()),
    )
    assert [problem.path for problem in seen.problems] == [place]


def test_no_tables(tmp_path: Path) -> None:
    seen = reader(plant(tmp_path, {}))
    assert (mounts(seen), swaps(seen), seen.problems) == ((), (), [])


def test_only_newlines_and_blanks_part_what_the_kernel_writes(tmp_path: Path) -> None:
    names = ("/mnt/a\u00a0b", "/mnt/c\u2028d", "/mnt/e\rf", "/mnt/g\u0085h")
    table = "".join(f"{36 + n} 35 8:{n} / {name} rw - ext4 /dev/sda{n} rw\n" for n, name in enumerate(names))
    seen = reader(
        plant(tmp_path, {"proc/1/mountinfo": table, "proc/swaps": "Filename\tType\n/a\u00a0b\tpartition\t8\n"})
    )
    assert tuple(mount.point for mount in mounts(seen)) == names
    assert (all_known(seen), swaps(seen), seen.problems) == (True, ("/a\u00a0b",), [])


def test_a_source_without_a_name(tmp_path: Path) -> None:
    seen = reader(plant(tmp_path, {"proc/1/mountinfo": "36 35 0:40 / /mnt rw - tmpfs  rw\n"}))
    assert mounts(seen) == (
        Mount(point="/mnt", filesystem="tmpfs", source="", device=None, number="0:40", root="/", more=()),
    )


def test_a_line_that_is_no_mount_may_be_any(tmp_path: Path) -> None:
    seen = reader(plant(tmp_path, {"proc/1/mountinfo": "36 35 8:1 / / rw - ext4 /dev/sda1 rw\n???\n"}))
    assert len(mounts(seen)) == 1
    assert not all_known(seen)
