"""/metrics as bytes that are ready before anyone asks.

The text is made of pieces, one for each area and one for the findings. A piece is rendered and compressed once, when its area
changed, and then only joined; the agent's own metrics, which move all the time, are a short last piece. Compressed pieces join
without compressing again: each is raw deflate that ends on a byte border (Z_FULL_FLUSH), and gzip (RFC 1952) is such a stream
between a header and the checksum of the whole text.
"""

from __future__ import annotations

import struct
import zlib

from prometheus_client.metrics_core import Metric as Family

from hostagent.assess.readiness import readiness
from hostagent.daemon.http_negotiate import OPENMETRICS, TEXT
from hostagent.daemon.state import Snapshot
from hostagent.daemon.verdict import FINDING, finding_samples
from hostagent.publish.judged import judged_samples
from hostagent.publish.prometheus import area_families, as_openmetrics, as_text, filled
from hostagent.report import AREAS
from hostagent.values.record import record

FINDINGS = "findings"
NAMES = frozenset((*AREAS, FINDINGS))

_EOF = b"# EOF\n"
_GZIP_HEADER = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff"
_LEVEL = 6


@record
class Piece:
    """Some families, rendered. `deflated`: the same, ready to stand in the middle of a gzip stream."""

    text: bytes
    deflated: bytes


def _deflate(text: bytes, flush: int) -> bytes:
    compressor = zlib.compressobj(_LEVEL, zlib.DEFLATED, -zlib.MAX_WBITS)
    return compressor.compress(text) + compressor.flush(flush)


def _piece(text: bytes) -> Piece:
    return Piece(text=text, deflated=_deflate(text, zlib.Z_FULL_FLUSH))


def rendered(families: list[Family], content_type: str) -> bytes:
    """Families in one of the two formats, without OpenMetrics' last line."""
    return as_text(families) if content_type == TEXT else as_openmetrics(families).removesuffix(_EOF)


class Exposition:
    """The pieces of one snapshot. Made in the survey's thread, afterwards used by the event loop alone."""

    def __init__(self, snapshot: Snapshot, before: Exposition | None) -> None:
        """Keep what did not change since `before`, and render in the formats `before` was asked for; in both where it was not."""
        self.snapshot = snapshot
        self._judged = readiness(snapshot.report)
        self.asked: set[str] = set() if before is None else set(before.asked)
        self._pieces: dict[tuple[str, str], Piece] = {}
        self._joined: dict[str, tuple[bytes, bytes, int]] = {}
        wanted = frozenset(self.asked) or frozenset((TEXT, OPENMETRICS))
        if before is not None:
            same = before.unchanged(snapshot)
            old = dict(before._pieces).items()  # noqa: SLF001
            self._pieces = {(name, kind): piece for (name, kind), piece in old if name in same and kind in wanted}
        for content_type in wanted:
            self._join(content_type, None)

    def unchanged(self, snapshot: Snapshot) -> set[str]:
        """Names of the pieces that `snapshot` would have too."""
        mine, other = self.snapshot, snapshot
        same = {name for name in AREAS if getattr(mine.report, name) == getattr(other.report, name)}
        # A judgement about one area may look at others.
        anew = readiness(other.report)
        same = {name for name in same if judged_samples(name, self._judged) == judged_samples(name, anew)}
        return same | ({FINDINGS} if mine.findings == other.findings else set())

    def metrics(self, content_type: str, chosen: frozenset[str], last: bytes) -> tuple[bytes, bytes]:
        """The text of the `chosen` names, then `last`; plain, and as gzip."""
        self.asked.add(content_type)
        text, deflated, checksum = self._join(content_type, None if chosen == NAMES else chosen)
        if content_type == OPENMETRICS:
            last += _EOF
        checksum = zlib.crc32(last, checksum)
        whole = text + last
        end = _deflate(last, zlib.Z_FINISH) + struct.pack("<II", checksum, len(whole) & 0xFFFFFFFF)
        return whole, _GZIP_HEADER + deflated + end

    def _join(self, content_type: str, chosen: frozenset[str] | None) -> tuple[bytes, bytes, int]:
        if chosen is None and content_type in self._joined:
            return self._joined[content_type]
        names = [name for name in (*AREAS, FINDINGS) if chosen is None or name in chosen]
        pieces = [self._piece(name, content_type) for name in names]
        text = b"".join(piece.text for piece in pieces)
        found = text, b"".join(piece.deflated for piece in pieces), zlib.crc32(text)
        if chosen is None:
            self._joined[content_type] = found
        return found

    def _piece(self, name: str, content_type: str) -> Piece:
        key = name, content_type
        if key not in self._pieces:
            self._pieces[key] = _piece(rendered(self._families(name), content_type))
        return self._pieces[key]

    def _families(self, name: str) -> list[Family]:
        if name == FINDINGS:
            return filled((FINDING,), finding_samples(self.snapshot.findings))
        return area_families(self.snapshot.report, name, self._judged)
