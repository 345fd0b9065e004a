"""Which links have an address, and through which of them routes of any table lead: what no file of /proc shows whole.

Asked of rtnetlink (`hostagent.host.rtnetlink`), and recorded in a capture as netlink/addresses. No address is in it: a line for
each link, the families of its addresses beyond fe80::/10, and the tables that have a route through it, `=default` where one is.

    lo ipv4,ipv6 255
    eth0 ipv4 254=default,255
    eth1 - 100
    eth2 - -

`:0 - 254` is a route through a link that the namespace does not have: no link has a colon in its name. `:elsewhere` is recorded
where our network namespace is not the one that sysfs shows, and `error: ...` where netlink did not answer.
"""

from __future__ import annotations

from hostagent.host.reader import Reader
from hostagent.host.routes import NET, NO_LINKS, Lost, as_read
from hostagent.host.unread import unread
from hostagent.values.blanks import fields
from hostagent.values.number import whole
from hostagent.values.record import record

RECORD = "netlink/addresses"
FAMILIES = ("ipv4", "ipv6")
# The table of a machine's own addresses, and the one that everything else is in unless it was put elsewhere.
LOCAL, MAIN = 255, 254
_ELSEWHERE = ":elsewhere"
_ERROR = "error:"


@record
class Table:
    """A routing table that has routes through a link."""

    number: int
    """Number of the table: 254 is main, 255 local."""
    default: bool
    """Whether a default route through the link is in it."""


@record
class Answer:
    """Of one link: families (ipv4, ipv6) of its addresses, and tables with routes through it."""

    addresses: tuple[str, ...]
    tables: tuple[Table, ...]


@record
class Addresses:
    """By name of the link. `known`: whether anybody looked. `lost`: what was looked at and is not known."""

    known: bool
    links: dict[str, Answer]
    lost: tuple[Lost, ...]


def addresses(reader: Reader) -> Addresses:
    """What netlink says of every link; read once a survey."""
    return reader.once(_addresses)


def _addresses(reader: Reader) -> Addresses:
    text = reader.recorded(RECORD, lambda: collected(reader), anywhere=True)
    if text is None or text == _ELSEWHERE:
        broken = (Lost(path=RECORD, link=None),) if unread(reader, "read", RECORD) else ()
        return Addresses(known=False, links={}, lost=broken)
    links: dict[str, Answer] = {}
    lost: tuple[Lost, ...] = ()
    # There is a link in every namespace, the loopback at least.
    for line in text.split("\n"):
        parsed = None if line.startswith(_ERROR) else _parsed(fields(line))
        if parsed is None:
            reader.malformed(RECORD, "a link, families and tables", line)
            return Addresses(known=False, links={}, lost=(Lost(path=RECORD, link=None),))
        name, answer = parsed
        if name.startswith(":"):
            lost = (Lost(path=RECORD, link=None),)
        else:
            links[name] = _both(links.get(name), answer)
    return Addresses(known=True, links=links, lost=lost)


def _both(one: Answer | None, other: Answer) -> Answer:
    """Two links are of one name where its bytes are no UTF-8."""
    if one is None:
        return other
    return Answer(addresses=one.addresses + other.addresses, tables=one.tables + other.tables)


def _parsed(words: list[str]) -> tuple[str, Answer] | None:
    if len(words) != 3:
        return None
    families = () if words[1] == "-" else tuple(words[1].split(","))
    tables = () if words[2] == "-" else tuple(_table(word) for word in words[2].split(","))
    if not set(families) <= set(FAMILIES):
        return None
    known = tuple(table for table in tables if table is not None)
    return (words[0], Answer(addresses=families, tables=known)) if len(known) == len(tables) else None


def _table(word: str) -> Table | None:
    text, equals, mark = word.partition("=")
    number = whole(text)
    if number is None or number < 0 or (equals and mark != "default"):
        return None
    return Table(number=number, default=bool(equals))


def collected(reader: Reader) -> str:
    """The record of the live machine."""
    from hostagent.host.rtnetlink import DumpError, spoken

    try:
        found = spoken()
    except (OSError, DumpError) as error:
        return f"{_ERROR} {error}\n"
    if not _is_the_hosts(reader, sorted(found.names.values())):
        return f"{_ELSEWHERE}\n"
    numbers = sorted(found.names.keys() | found.families.keys() | found.tables.keys())
    lines = []
    for number in numbers:
        families = ",".join(sorted(found.families.get(number, ())))
        tables = ",".join(
            f"{table}=default" if default else str(table)
            for table, default in sorted(found.tables.get(number, {}).items())
        )
        lines.append(f"{found.names.get(number) or f':{number}'} {families or '-'} {tables or '-'}\n")
    return "".join(lines)


def _is_the_hosts(reader: Reader, own: list[str]) -> bool:
    """As for the tables of /proc (`hostagent.host.routes`): every link that sysfs shows, and one of hardware among them."""
    shown = [name for name in reader.names(NET) if name not in NO_LINKS]
    # Where names of links are pseudonyms, what the kernel said has to have the same ones.
    said = reader.host.tree.presented(RECORD, "\n".join(own).encode()).decode("utf-8", "replace").split("\n")
    return set(said).issuperset(map(as_read, shown)) and any(reader.exists(f"{NET}/{name}/device") for name in shown)
