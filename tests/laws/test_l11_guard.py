"""L11: nothing the host lives on is taken, whatever was asked and in whatever format; and what is not known permits nothing.

Machines that know what their host lives on (tests/laws/lives.py) are asked for everything, one by one and all at once. Every
rendered format is read back (tests/laws/taken.py). Then areas are lost, and files made unreadable or removed: what was refused
stays refused. `python -m tests.laws.test_l11_guard 10000 SEED` is the long run.
"""

from __future__ import annotations

import sys
from fnmatch import fnmatchcase
from random import Random

import pytest

from hostagent.assess.node import Node, is_bridge
from hostagent.assess.protected import protections
from hostagent.host import Host
from hostagent.host.absent import ABSENCE_IS_AN_ANSWER
from hostagent.host.archive import Node as Member
from hostagent.plan import Plan, plan, ready
from hostagent.render.files import RenderError
from hostagent.render.targets import ALL, TARGETS, Wishes, rendered
from hostagent.report import AREAS, NodeReport, complete, survey
from hostagent.values.record import replaced
from tests.laws.lives import FEATURES, Life, life
from tests.laws.machines import Broken
from tests.laws.taken import bound, functions_of, offered, taken
from tests.plan.profiles import devices

HOSTS = 120
FILES = 25
WISHES = Wishes(split=False, namespace=None, resource=None, owned=frozenset())
BINDING = ("modprobe", "systemd", "kargs", "butane", "machineconfig", ALL)
OFFERING = ("hyperconverged", "hyperconverged-v1", "kubevirt")
PLATFORMS = ("{name: openshift, version: 4.20}", "{name: debian}", "{name: fcos, version: 1.6.0}")


def drawn(seed: int) -> tuple[Random, list[Life]]:
    """A generator, and one machine or a small fleet."""
    random = Random(seed)
    return random, [life(random) for _ in range(random.choice((1, 1, 1, 2, 3)))]


def entries(random: Random, fleet: list[Life]) -> list[str]:
    """What is asked for: one function, or some, or all, in each way a profile can."""
    functions = sorted({(one, where) for where, found in enumerate(fleet) for one in found.groups})
    address, where = random.choice(functions)
    text = fleet[where].machine.files[f"sys/devices/pci0000:00/{address}/uevent"]
    said = dict(line.split("=", 1) for line in text.splitlines())
    identity = said["PCI_ID"].lower()
    ways = (
        f'address: "{address}"',
        f'address: "{address}", nodes: [{"abc"[where]}]',
        f'id: "{identity}"',
        f'id: "{identity}", count: {random.randint(1, 2)}',
        f'id: "{identity}", subsystem: "{said["PCI_SUBSYS_ID"].lower()}"',
        f'class: "{int(said["PCI_CLASS"], 16):06x}"',
        f'class: "{random.choice(("01", "02", "03", "05", "07", "08"))}"',
        f'id: "{identity}", companions: false',
    )
    return [f"{way}, resourceName: example.org/r" for way in random.sample(ways, random.choice((1, 1, 2)))]


def made(fleet: list[Life], reports: list[NodeReport], asked: list[str], platform: str) -> Plan:
    named = tuple(zip("abc", reports, strict=False))
    assert len(named) == len(fleet)
    return plan(named, devices(*asked, platform=platform))


def texts(found: Plan) -> list[tuple[str, str, str]]:
    """(target, path, text) of all that can be rendered."""
    files = []
    for target in (*BINDING, *OFFERING):
        try:
            files += [(target, file.path, file.text) for file in rendered(found, (target,), WISHES)]
        except RenderError as error:
            # Of a plan that is ready, only what the platform does not have, or nothing to offer, is refused.
            if error.place not in ("platform.name", "devices"):
                raise
    return files


def broken_promises(seed: int) -> list[str]:
    """What the machine of a seed loses by what it was asked for; empty where the guard holds."""
    random, fleet = drawn(seed)
    reports = [found.machine.report() for found in fleet]
    asked, platform = entries(random, fleet), random.choice(PLATFORMS)
    found = made(fleet, reports, asked, platform)
    if not ready(found):
        for target in (*TARGETS, ALL):
            with pytest.raises(RenderError):
                rendered(found, (target,), WISHES)
        return []
    promises = []
    done: dict[str, set[str]] = {name: set() for name in found.nodes}
    for target, path, text in texts(found):
        for name, one in zip("abc", fleet, strict=False):
            mine, forbidden = taken(path, text, one.machine), one.forbidden()
            done[name] |= mine if target == ALL else set()
            head = f"seed {seed}: {target} {asked}"
            promises += [f"{head} takes {name} {address}: {forbidden[address]}" for address in mine & forbidden.keys()]
            for identity in offered(text) if target in OFFERING else ():
                # KubeVirt counts what is on vfio-pci; the same ID on its host's driver is not touched.
                those = functions_of(one.machine, identity) & bound(one.machine) & forbidden.keys()
                promises += [f"{head} offers {identity} of {name}"] if those else []
    # Who reads files must see what is taken, or the law above says nothing.
    promises += [
        f"seed {seed}: {asked} binds {one.address} of {one.node}, and no file of all does"
        for one in found.bindings
        if str(one.address) not in done[one.node]
    ]
    return promises


@pytest.mark.parametrize("part", range(4))
def test_nothing_the_host_lives_on_is_taken(part: int) -> None:
    assert [promise for seed in range(part, HOSTS * 4, 4) for promise in broken_promises(seed)] == []


def test_what_is_free_can_be_taken() -> None:
    """The guard is no wall: else it would hold by refusing all."""
    free = refused = 0
    for seed in range(HOSTS):
        for found in drawn(seed)[1]:
            takeable = takeable_in(found.machine.report())
            mine = found.free - found.forbidden().keys()
            free, refused = free + len(mine), refused + len(mine - takeable)
    assert free > HOSTS
    # Some are refused on suspicion: where a use is lost, each that could carry it.
    assert refused < free / 2


@pytest.mark.parametrize("number", range(len(FEATURES)), ids=[add.__name__.strip("_") for add in FEATURES])
def test_each_use_is_seen(number: int) -> None:
    """Each feature alone, with two free twins of each kind beside it."""
    for seed in range(12):
        alone = Life(Random(seed))
        FEATURES[number](alone)
        takeable = takeable_in(alone.machine.report())
        assert {one: alone.forbidden()[one] for one in alone.forbidden().keys() & takeable} == {}, seed


def takeable_in(report: NodeReport) -> set[str]:
    """Functions that a profile may have."""
    node = Node("n", report)
    stays = protections(node)
    return {str(one.address) for one in node.functions if one.address not in stays and not is_bridge(one)}


@pytest.mark.parametrize("area", AREAS)
def test_a_lost_area_frees_nothing_and_makes_nothing_ready(area: str) -> None:
    for seed in range(HOSTS // 4):
        for found in drawn(seed)[1]:
            report = found.machine.report()
            lost = replaced(report, **{area: None})
            assert takeable_in(lost) <= takeable_in(report), (seed, area)
            assert not complete(lost)


def members(machine: Life) -> dict[str, Member]:
    """The machine as a tree in memory."""
    nodes: dict[str, Member] = {"": ("directory", b"")}
    for path in (*machine.machine.files, *machine.machine.links):
        head = path.rpartition("/")[0]
        while head:
            nodes[head] = ("directory", b"")
            head = head.rpartition("/")[0]
    nodes |= {path: ("file", text.encode()) for path, text in machine.machine.files.items()}
    return nodes | {path: ("link", target.encode()) for path, target in machine.machine.links.items()}


def is_an_answer(path: str) -> bool:
    """Whether the absence of a file says that there is nothing to know."""
    parts = path.split("/")
    return any(
        len(parts) == len(wanted) and all(map(fnmatchcase, parts, wanted))
        for pattern, _ in ABSENCE_IS_AN_ANSWER
        for wanted in [pattern.split("/")]
    )


def freed_by_breaking(seed: int, files: int) -> list[str]:
    """What becomes takeable, or a node complete, by one file that cannot be read or is not there."""
    random, fleet = drawn(seed)
    nodes = members(fleet[0])
    tree = Broken(nodes)
    before = survey(Host("memory", thorough=True, tree=tree))
    free = takeable_in(before)
    read = sorted(path for path in tree.asked if nodes.get(path, ("", b""))[0] in ("file", "link"))
    found = []
    for path in random.sample(read, min(files, len(read))):
        for how in ("unreadable", "removed"):
            after_nodes = dict(nodes)
            if how == "removed":
                if is_an_answer(path):
                    continue
                del after_nodes[path]
            else:
                after_nodes[path] = ("errno", b"EIO")
            after = survey(Host("memory", thorough=True, tree=Broken(after_nodes)))
            found += [f"seed {seed}: {path} {how} frees {one}" for one in sorted(takeable_in(after) - free)]
            if how == "unreadable" and nodes[path][0] == "file" and complete(after):
                found.append(f"seed {seed}: {path} unreadable, and nobody says so")
    return found


@pytest.mark.parametrize("part", range(2))
def test_a_file_that_tells_nothing_frees_nothing(part: int) -> None:
    assert [said for seed in range(part, 16, 2) for said in freed_by_breaking(seed, FILES)] == []


def test_the_list_of_absences_has_reasons_and_matches_whole_components() -> None:
    assert all(why for _, why in ABSENCE_IS_AN_ANSWER)
    assert len({pattern for pattern, _ in ABSENCE_IS_AN_ANSWER}) == len(ABSENCE_IS_AN_ANSWER)
    answers = (
        "etc/fstab",
        "proc/4711/mountinfo",
        "proc/12/mountinfo",
        "sys/class/net/eth0",
        "sys/bus/pci/devices/0000:00:01.0",
    )
    others = ("proc/1/mountinfo", "proc/self/mountinfo", "proc/swaps", "sys/class/net/eth0/master", "proc/1/net/route",
              "sys/bus/pci/devices/0000:00:01.0/iommu_group")  # fmt: skip
    assert [path for path in answers if not is_an_answer(path)] == []
    assert [path for path in others if is_an_answer(path)] == []


def main() -> None:
    """The long run: promises of so many hosts, and one in a hundred with every file broken in turn."""
    hosts, first = int(sys.argv[1]), int(sys.argv[2])
    failures = 0
    for seed in range(first, first + hosts):
        said = broken_promises(seed) + (freed_by_breaking(seed, 1 << 30) if seed % 100 == 0 else [])
        failures += len(said)
        for line in said:
            sys.stdout.write(line + "\n")
        if seed % 1000 == 999:
            sys.stdout.write(f"{seed + 1 - first} hosts\n")
            sys.stdout.flush()
    sys.stdout.write(f"{hosts} hosts from seed {first}: {failures} failures\n")
    sys.exit(bool(failures))


if __name__ == "__main__":
    main()
