"""Names out of pci.ids, against a reading line by line."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from hostagent.values.pciids import PciIds, names

SAMPLE = """\
# List of PCI ID's
10de  NVIDIA Corporation
# a remark in the middle
\t1eb8  TU104GL [Tesla T4]
\t\t10de 12a2  Tesla T4 16GB
\t1eb9  TU104GL
8086  Intel Corporation
\t10d3  82574L Gigabit Network Connection
\t\t1eb8 0000  not a device of its own

C 03  Display controller
\t00  VGA compatible controller
\t\t00  VGA controller
\t02  3D controller
C 06  Bridge
"""


def by_line(book: str, key: tuple[str, str, str]) -> tuple[str | None, str | None, str | None]:
    """The same, the slow way."""
    vendor_id, device_id, class_id = key

    def section(head: str) -> list[str]:
        lines = book.split("\n")
        at = next((number for number, line in enumerate(lines) if line.startswith(f"{head}  ")), None)
        if at is None:
            return []
        found = [lines[at]]
        for line in lines[at + 1 :]:
            if line[:1] not in ("\t", "#"):
                break
            found.append(line)
        return found

    def named(lines: list[str], head: str) -> str | None:
        line = next((line for line in lines if line.startswith(f"{head}  ")), None)
        return None if line is None else line[len(head) + 2 :].strip() or None

    kind = section(f"C {class_id[:2]}")
    class_name = named(kind, f"\t{class_id[2:4]}") or named(kind, f"C {class_id[:2]}")
    return named(section(vendor_id), vendor_id), named(section(vendor_id), f"\t{device_id}"), class_name


def test_names_of_the_sample() -> None:
    keys = [
        ("10de", "1eb8", "030200"),
        ("8086", "10d3", "060400"),
        ("8086", "1eb8", "0c0330"),
        ("1234", "1eb8", "030000"),
    ]
    assert list(names(SAMPLE.encode(), keys).values()) == [
        ("NVIDIA Corporation", "TU104GL [Tesla T4]", "3D controller"),
        ("Intel Corporation", "82574L Gigabit Network Connection", "Bridge"),
        ("Intel Corporation", None, None),
        (None, None, "VGA compatible controller"),
    ]


def test_names_that_are_not_utf8() -> None:
    assert PciIds(b"10de  NVIDIA\xff\n").vendor("10de") == "NVIDIA\ufffd"


def test_a_section_longer_than_a_chunk_is_whole() -> None:
    many = "".join(f"\t{number:04x}  device {number}\n" for number in range(0x4000))
    book = f"10de  NVIDIA\n{many}8086  Intel\n\tffff  other\n".encode()
    ids = PciIds(book)
    assert all(ids.device("10de", f"{number:04x}") == f"device {number}" for number in (0, 500, 0x3FFF))
    assert ids.device("10de", "ffff") is None
    assert ids.device("8086", "ffff") == "other"


_IDS = st.sampled_from(["10de", "8086", "1eb8"])
_LINES = st.one_of(
    st.builds("{}  {}".format, _IDS, st.text("ab ", max_size=3)),
    st.builds("\t{}  {}".format, st.sampled_from(["1eb8", "10de", "02"]), st.text("ab ", max_size=3)),
    st.builds("\t\t{} 0000  x".format, _IDS),
    st.builds("C {}  {}".format, st.sampled_from(["03", "06"]), st.text("ab", max_size=3)),
    st.sampled_from(["", "# remark", "\t", "10de", "10de ", "x" * 9000]),
)


@given(st.lists(_LINES, max_size=30), st.lists(st.tuples(_IDS, _IDS, st.sampled_from(["030200", "060000", "0c0330"]))))
def test_any_book_reads_as_line_by_line(lines: list[str], keys: list[tuple[str, str, str]]) -> None:
    # Which of two sections of one vendor is meant, no book says; and none has two.
    book = "\n".join(
        {line.split("  ")[0] if line[:1] not in ("\t", "#", "") else at: line for at, line in enumerate(lines)}.values()
    )
    assert names(book.encode(), keys) == {key: by_line(book, key) for key in keys}


@given(st.binary(), st.tuples(_IDS, _IDS, st.just("030200")))
def test_any_bytes_are_a_book(book: bytes, key: tuple[str, str, str]) -> None:
    assert list(names(book, [key])) == [key]
