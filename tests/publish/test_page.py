"""The node page as a document: what it says, that nothing in it is markup but what we wrote, how large it gets."""

from __future__ import annotations

from html.parser import HTMLParser
from pathlib import Path

import pytest

from hostagent.advice import advise
from hostagent.assess import State, assess
from hostagent.host import Host
from hostagent.publish.page import POLICY, page
from hostagent.publish.page.states import STATES
from hostagent.report import NodeReport, survey
from tests.plant import pci_function, plant
from tests.publish.page_machine import HOSTILE, USES, every_state, finding, hostile, report_of
from tests.roots import fixtures, roots, surveyed

_VOID = {"meta", "link"}


class Outline(HTMLParser):
    """Tags in order, open ones, attributes and visible text of a page."""

    def __init__(self, markup: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[str] = []
        self.open: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.text: list[str] = []
        self.ids: list[str] = []
        self.feed(markup)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs
        self.ids += [value or "" for name, value in attrs if name == "id"]
        if tag not in _VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if not self.open or self.open[-1] != "style":
            self.text.append(data)

    @property
    def said(self) -> str:
        return " ".join(" ".join(self.text).split())


def outline(report: NodeReport, *findings: object) -> Outline:
    return Outline(page(report, findings).decode())  # type: ignore[arg-type]


def test_every_state_has_its_box(tmp_path: Path) -> None:
    judged = assess(every_state(tmp_path))
    assert {box.group.number: box.state for box in judged.groups} == {
        0: "platform", 1: "blocked", 2: "vfio", 3: "viable", 4: "protected", 5: "protected", 6: "unsafe",
    }  # fmt: skip
    assert [(part.function.address, part.state) for part in judged.alone] == [("0000:07:00.0", "idle")]
    assert {part.function.address: part.state for part in judged.functions if part.function.iommu_group == 1} == {
        "0000:01:00.0": "vfio",
        "0000:01:00.1": "blocked",
    }


def test_a_group_is_in_use_until_somebody_begins_and_unknown_without_verdicts(tmp_path: Path) -> None:
    address = "0000:01:00.0"
    files = pci_function(address, cls="120000", driver="habanalabs")
    links = {f"sys/bus/pci/devices/{address}/iommu_group": "../../../../kernel/iommu_groups/1"}
    root = plant(tmp_path, files, links)
    assert [box.state for box in assess(report_of(root)).groups] == ["in-use"]
    without = survey(Host(str(root)), only=frozenset({"pci", "iommu"}))
    assert [box.state for box in assess(without).groups] == ["unknown"]


def test_it_says_what_there_is(tmp_path: Path) -> None:
    found = outline(every_state(tmp_path), finding("BLOCKER"), finding("WARNING", subject="watchdog0"))
    for words in (
        "Example Server 1",
        "✕ 1 thing in the way of guests",
        "9 PCI functions · 2 bound to vfio · 1 free to be given to guests",
        "✕ Blocker",
        "What helps Bind it to vfio-pci too.",
        "hostagent render modprobe --profile profile.yaml",
        "/sys/bus/pci/devices/0000:01:00.1/driver snd_hda_intel",
        "Group 1 is not viable: 0000:01:00.1 is bound to snd_hda_intel",
        "64 pages, 128 MiB: 48 used, 16 free, 2 reserved",
        "The command line asks for 8 pages of 1 GiB; there are 4",
        "15.3 GiB · CPUs 0-3 · 2 isolated",
        "iTCO_wdt",
        "Caused the last boot: ",
        "It shows the remote console of the BMC",
        "proc/swaps",
    ):
        assert words in found.said, words
    assert {
        f"{STATES[state][0]} {STATES[state][1]}" for state in (State.BLOCKED, State.BOUND, State.FREE, State.PROTECTED)
    } <= {piece for piece in (f"{mark} {word}" for mark, word, _ in STATES.values()) if piece in found.said}


@pytest.mark.parametrize(
    ("severities", "sentence"),
    [
        ((), "○ Nothing in the way of guests"),
        (("NOTE",), "○ Nothing in the way of guests"),
        (("WARNING",), "▲ Nothing in the way, 1 thing to look at"),
        (("WARNING", "BLOCKER", "BLOCKER"), "✕ 2 things in the way of guests"),
    ],
)
def test_the_verdict_is_the_gravest(tmp_path: Path, severities: tuple[str, ...], sentence: str) -> None:
    given = [finding(severity, code=f"code-{number}") for number, severity in enumerate(severities)]
    assert sentence in outline(every_state(tmp_path), *given).said


_SEEN = {"sys/class/misc/kvm/dev": "10:232\n", "sys/class/iommu/dmar0/name": "dmar0\n", **USES}
_ABSENT = {"proc/sys/kernel/osrelease": "6\n", "lib/modules/6/modules.dep": "kernel/a.ko:\n", "proc/modules": "a 1\n"}
_UNREMAPPED = {"proc/interrupts": "           CPU0\n  1:  9  IO-APIC    1-edge  i8042\n"}


@pytest.mark.parametrize(
    ("missing", "added", "sentence"),
    [
        ("", {}, "○ Nothing in the way of guests"),
        ("sys/class/misc", {}, "▲ Runs no guests"),
        ("sys/class/iommu", {}, "▲ Runs guests, and gives them no device"),
        ("sys/class", {}, "▲ Runs no guests and gives no device away"),
        ("", _ABSENT, "▲ Runs guests, and gives them no device"),
        ("", _UNREMAPPED, "▲ Runs guests, and gives them no device"),
        ("proc/1/net", {}, "▲ Nothing found in the way, but not everything could be seen"),
        ("proc/1/mountinfo", {}, "▲ Nothing found in the way, but not everything could be seen"),
    ],
)
def test_the_verdict_is_what_the_facts_say(tmp_path: Path, missing: str, added: dict[str, str], sentence: str) -> None:
    files = _SEEN | pci_function("0000:01:00.0")
    kept = {path: said for path, said in files.items() if not missing or not path.startswith(missing)}
    found = outline(report_of(plant(tmp_path, kept | added)))
    assert sentence in found.said
    # A finding of the same adds to it, and takes nothing back.
    if "○" not in sentence and "seen" not in sentence:
        said = outline(report_of(tmp_path), finding("WARNING")).said
        assert sentence in said
        assert "Nothing in the way" not in said


def test_what_could_not_be_seen_is_not_called_good(tmp_path: Path) -> None:
    only = survey(Host(str(plant(tmp_path, {}))), only=frozenset({"cpu"}))
    assert "▲ Nothing found in the way, but not everything could be seen" in outline(only).said


def test_nothing_is_called_free_where_nobody_knows_what_the_host_uses(tmp_path: Path) -> None:
    assert "1 free to be given to guests" in outline(every_state(tmp_path)).said
    (tmp_path / "proc/1/net/route").unlink()
    found = outline(report_of(tmp_path)).said
    assert "free to be given" not in found
    assert "nothing keeps it" not in found
    assert "The routes of this host are not known, so no function is known to be unused." in found


def test_no_number_stands_above_what_is_not_known(tmp_path: Path) -> None:
    found = outline(report_of(plant(tmp_path, pci_function("0000:01:00.0")))).said
    assert "The host stands on The routes and mounts" in found
    assert "1 PCI function" in found
    assert "1 PCI functions" not in found


@pytest.mark.parametrize("root", roots())
def test_the_verdict_of_real_machines_agrees_with_their_cards(root: str) -> None:
    report = surveyed(root)
    found = Outline(page(report, advise(report)).decode()).said
    if (
        "Runs guests \N{EN DASH} no" in found
        or "IOMMU \N{EN DASH} off" in found
        or "VFIO gives no device away" in found
    ):
        assert "Nothing in the way" not in found
        assert "Nothing found in the way" not in found
        assert "free to be given" not in found
    if "no function is known to be unused" in found:
        assert "free to be given" not in found


def test_findings_stand_by_gravity_and_many_of_one_kind_are_folded(tmp_path: Path) -> None:
    many = [finding("WARNING", subject=f"0000:0{n}:00.0") for n in range(6)]
    found = outline(every_state(tmp_path), *many, finding("BLOCKER", code="iommu-off", subject="node"))
    assert found.said.index("iommu-off") < found.said.index("group-blocked")
    assert "2 more of the same kinds" in found.said
    assert (
        found.said.index("0000:03:00.0 keeps") < found.said.index("2 more of") < found.said.index("0000:04:00.0 keeps")
    )


def test_a_severity_nobody_declared_is_shown_last_as_it_is(tmp_path: Path) -> None:
    found = outline(every_state(tmp_path), finding("ODD", code="odd"), finding("NOTE", code="known"))
    assert "? ODD" in found.said
    assert found.said.index("known") < found.said.index("? ODD")


def test_words_between_backticks_are_code_and_a_lone_one_is_itself(tmp_path: Path) -> None:
    report = every_state(tmp_path)
    made = page(
        report, (finding("NOTE", sentence="Give `a<b` to `x`."), finding("NOTE", code="c", sentence="It's ` alone."))
    )
    assert b"<p>Give <code>a&lt;b</code> to <code>x</code>.</p>" in made
    assert b"<p>It&#x27;s ` alone.</p>" in made


def test_a_pool_that_was_not_filled_leaves_its_bar_short(tmp_path: Path) -> None:
    # 4 of the 8 pages of 1 GiB that the command line asked for; all of the node's own largest pool.
    made = page(every_state(tmp_path)).decode()
    bars = [piece.split("</svg>")[0] for piece in made.split('<svg class="bar"')[1:]]
    full = [piece.split('<rect width="')[1].split('"')[0] for piece in bars]
    assert full == ["100.00%", "50.00%", "100.00%", "100.00%"]


def test_a_pool_whose_use_is_not_known_is_not_drawn_free(tmp_path: Path) -> None:
    files = {"sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages": "4\n"}
    report = report_of(plant(tmp_path, files))
    assert "4 pages, 8 MiB: use not known" in outline(report).said
    assert 'height="100%" class="unsaid"' in page(report).decode()


def test_hostile_text_stays_text(tmp_path: Path) -> None:
    report = hostile(tmp_path)
    evil = finding(HOSTILE, code=HOSTILE, subject=HOSTILE, sentence=HOSTILE)
    markup = page(report, (evil,), title=HOSTILE).decode()
    found = Outline(markup)
    ours = Outline(page(every_state(tmp_path / "other"), (finding("NOTE"),)).decode())
    assert set(found.tags) <= set(ours.tags)
    assert found.tags.count("style") == 1
    assert "script" not in found.tags
    assert "img" not in found.tags
    names = {name for name, _ in found.attributes}
    assert not any(name.startswith("on") or name == "style" for name in names)
    assert names <= {name for name, _ in ours.attributes}
    # The text is there, every time, and the mark that turns the direction of writing is shown instead of obeyed.
    assert found.said.count("<script>alert(1)</script>") >= 12
    assert "\u202e" not in markup
    assert "\\u202e" in markup


def test_the_page_forbids_itself_everything() -> None:
    assert POLICY.startswith("default-src 'none'; style-src 'sha256-")
    assert "unsafe" not in POLICY


# Chosen to differ: many kinds without groups, groups without names, no PCI at all, groups only.
_KINDS = ("checkbox__NVIDIA_DGXA100", "ghw__linux-amd64-415ee", "ghw__linux-s390x", "iommu-listing", "captures")


def _name(parameter: object) -> str:
    return str(getattr(parameter, "id", ""))


_OURS = ("live", *(path.name for path in fixtures()))


@pytest.mark.parametrize("root", [one for one in roots() if _name(one) in _OURS or _name(one).startswith(_KINDS)])
def test_every_machine_has_a_sound_small_page(root: str) -> None:
    report = surveyed(root)
    made = page(report)
    found = Outline(made.decode())
    assert len(made) < 150_000
    assert made == page(report)
    assert len(found.ids) == len(set(found.ids))
    assert found.tags.count("h1") == 1
    labelled = {value for name, value in found.attributes if name == "aria-labelledby"}
    assert labelled <= set(found.ids)
    # Pictures are named, and signs are not read out letter by letter.
    assert all(("aria-label" in piece) or ("aria-hidden" in piece) for piece in made.decode().split("<svg ")[1:])


def _many(root: Path, count: int, *, alike: bool) -> NodeReport:
    files: dict[str, str] = {}
    links: dict[str, str] = {}
    for n in range(count):
        address = f"0000:{n >> 8:02x}:{n >> 3 & 31:02x}.{n & 7}"
        identity = "8086:154C" if alike else f"8086:{0x1000 + n:04X}"
        files |= pci_function(address, id=identity, driver="iavf" if n % 2 else "vfio-pci")
        links[f"sys/bus/pci/devices/{address}/iommu_group"] = f"../../../../kernel/iommu_groups/{n}"
    return report_of(plant(root, files, links))


def test_three_hundred_functions_that_differ_fit_in_150_kb(tmp_path: Path) -> None:
    assert len(page(_many(tmp_path, 300, alike=False))) < 150_000


def test_functions_that_are_alike_are_folded(tmp_path: Path) -> None:
    made = page(_many(tmp_path, 300, alike=True)).decode()
    found = Outline(made)
    assert "149 more groups like this" in found.said
    assert len(made) < 60_000
    # None is lost: each address stands somewhere.
    assert all(f"0000:{n >> 8:02x}:{n >> 3 & 31:02x}.{n & 7}" in found.said for n in range(300))


def test_a_group_of_many_functions_is_drawn_wide(tmp_path: Path) -> None:
    files: dict[str, str] = {}
    links: dict[str, str] = {}
    for n in range(9):
        files |= pci_function(f"0000:01:0{n}.0", cls="20000")
        links[f"sys/bus/pci/devices/0000:01:0{n}.0/iommu_group"] = f"../../../../kernel/iommu_groups/{n % 5}"
    found = outline(report_of(plant(tmp_path, files, links)))
    boxes = [value for name, value in found.attributes if name == "class" and value and value.startswith("box ")]
    assert boxes == [*(["box viable pair"] * 4), "box viable"]
    links = dict.fromkeys(links, "../../../../kernel/iommu_groups/0")
    found = outline(report_of(plant(tmp_path / "one", files, links)))
    assert ("class", "box viable wide") in found.attributes


def test_platform_parts_without_a_group_need_no_heading_where_there_are_groups(tmp_path: Path) -> None:
    files = pci_function("0000:00:00.0", cls="60000") | pci_function("0000:01:00.0")
    links = {"sys/bus/pci/devices/0000:01:00.0/iommu_group": "../../../../kernel/iommu_groups/1"}
    found = outline(report_of(plant(tmp_path, files, links)))
    assert "1 function of the platform" in found.said
    assert "Functions without an IOMMU group" not in found.said


def test_many_functions_of_a_kind_without_groups_are_folded(tmp_path: Path) -> None:
    files: dict[str, str] = {}
    for n in range(20):
        files |= pci_function(f"0000:00:{n:02x}.0", cls="120000")
    found = outline(report_of(plant(tmp_path, files)))
    assert "20 \N{MULTIPLICATION SIGN} 8086:10d3" in found.said
    assert "19 more" in found.said


def test_one_function_of_a_kind_is_not_counted_and_an_id_stands_once(tmp_path: Path) -> None:
    found = outline(report_of(plant(tmp_path, pci_function("0000:00:01.0", cls="120000")))).said
    assert "\N{MULTIPLICATION SIGN}" not in found
    assert found.count("8086:10d3") == 1
    several = pci_function("0000:00:02.0", cls="120000") | pci_function("0000:00:03.0", cls="120000")
    found = outline(report_of(plant(tmp_path, several))).said
    assert "3 \N{MULTIPLICATION SIGN} 8086:10d3" in found
    assert found.count("8086:10d3") == 1


_DOG = "sys/class/watchdog/watchdog"


@pytest.mark.parametrize(
    ("states", "said", "timeout"),
    [
        ((), "No watchdog was found: nothing is known that restarts this machine when its kernel hangs.", ""),
        (
            ("inactive", "inactive"),
            "No program has armed one: as far as is known, nothing",
            "once armed, restarts after",
        ),
        (("inactive", ""), "Whether one is armed is not known.", "timeout 30 s"),
        (("inactive", "active"), "", "\N{MIDDLE DOT} restarts after 30 s"),
    ],
)
def test_a_watchdog_that_is_not_armed_is_not_said_to_restart(
    tmp_path: Path, states: tuple[str, ...], said: str, timeout: str
) -> None:
    files = {f"{_DOG}{n}/identity": "iTCO_wdt\n" for n in range(len(states))}
    files |= {f"{_DOG}{n}/timeout": "30\n" for n in range(len(states))}
    files |= {f"{_DOG}{n}/state": f"{state}\n" for n, state in enumerate(states) if state}
    found = outline(report_of(plant(tmp_path, files))).said
    assert said in found
    assert timeout in found
    lacking = ("No watchdog was found", "No program has armed", "Whether one is armed")
    assert sum(words in found for words in lacking) == bool(said)
    assert ("\N{MIDDLE DOT} restarts after" in found) == ("active" in states)


def test_the_version_of_the_firmware_is_called_so(tmp_path: Path) -> None:
    found = outline(report_of(plant(tmp_path, {"sys/class/dmi/id/bios_version": "1.2\n"}))).said
    assert "Firmware version 1.2" in found
