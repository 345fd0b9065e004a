"""The pages of the web server. Each picks bytes that are ready; what is not yet known is a 503."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from typing import TYPE_CHECKING

from hostagent.about import About, put_into
from hostagent.daemon.exposition import NAMES, Exposition, rendered
from hostagent.daemon.http_message import Page, Request, Response, plain, prepared
from hostagent.daemon.http_negotiate import OPENMETRICS, exposition, selected
from hostagent.publish.page import noted
from hostagent.values.record import replaced

if TYPE_CHECKING:
    from prometheus_client.metrics_core import Metric as Family

JSON = "application/json; charset=utf-8"
HTML = "text/html; charset=utf-8"
# How old the agent's own metrics may be: rendering them costs as much as serving all others.
OWN_SECONDS = 1.0


class Pages:
    """What is served. The loop puts in what it found; pages only pick."""

    def __init__(
        self, *, own: Callable[[frozenset[str]], list[Family]], overdue: Callable[[], bool], clock: Callable[[], float]
    ) -> None:
        """`own`: the agent's metrics. `overdue`: whether a survey should have ended long ago."""
        self.exposition: Exposition | None = None
        self.report: Response | None = None
        self.page: Response | None = None
        self.failed = False  # the last survey: what is served is older than it
        self.about: About | None = None  # of the last survey that ended well
        self._noted: tuple[Response, str, Response] | None = None
        self._dated: tuple[Response, About, Response] | None = None
        self._own, self._overdue, self._clock = own, overdue, clock
        self._lasts: dict[tuple[str, frozenset[str]], tuple[float, bytes]] = {}

    def routes(self) -> dict[str, Page]:
        """Exact paths; everything else is a 404."""
        return {
            "/": self._page,
            "/metrics": self._metrics,
            "/report.json": self._report,
            "/-/healthy": self._healthy,
            "/healthz": self._healthy,
            "/-/ready": self._ready,
            "/readyz": self._ready,
        }

    def _page(self, _request: Request) -> Response:
        """The page as it was made; where nobody knows whether it still holds, it says so."""
        said = _OVERDUE if self._overdue() else _FAILED if self.failed else None
        made = self.page
        if made is None or said is None:
            return made or _NOT_YET
        if self._noted is None or self._noted[0] is not made or self._noted[1] != said:
            self._noted = made, said, replaced(made, body=noted(made.body, said), gzipped=None)
        return self._noted[2]

    def _report(self, request: Request) -> Response:
        """The report with the time of the last survey put in. Its ETag is of the report alone: 304 until that changes."""
        made = self.report
        if made is None:
            return _NOT_YET
        if holds(request.header("if-none-match"), dict(made.headers).get("ETag")):
            return replaced(made, status=304, body=b"", gzipped=None)
        if self.about is None:
            return made
        if self._dated is None or self._dated[0] is not made or self._dated[1] != self.about:
            body = put_into(made.body, self.about)
            # The loop waits for it.
            gzipped = gzip.compress(body, _FAST, mtime=0)
            self._dated = made, self.about, replaced(made, body=body, gzipped=gzipped)
        return self._dated[2]

    def _metrics(self, request: Request) -> Response:
        content_type = exposition(request.header("accept"))
        chosen = selected(request.query, NAMES)
        last = self._last(content_type, chosen)
        if self.exposition is None:
            eof = b"# EOF\n" if content_type == OPENMETRICS else b""
            return prepared(content_type, last + eof, vary=("Accept",))
        body, gzipped = self.exposition.metrics(content_type, chosen, last)
        return prepared(content_type, body, gzipped=gzipped, vary=("Accept",))

    def _last(self, content_type: str, chosen: frozenset[str]) -> bytes:
        now = self._clock()
        made, text = self._lasts.get((content_type, chosen), (now - OWN_SECONDS, b""))
        if not 0 <= now - made < OWN_SECONDS:
            text = rendered(self._own(chosen), content_type)
            # Whoever asks for every subset of areas gets them; none is kept for longer than it holds.
            self._lasts = {key: kept for key, kept in self._lasts.items() if 0 <= now - kept[0] < OWN_SECONDS}
            self._lasts[content_type, chosen] = now, text
        return text

    def _healthy(self, _request: Request) -> Response:
        """The loop answers, and surveys come to an end."""
        return plain(503, "the survey does not end") if self._overdue() else _OK

    def _ready(self, _request: Request) -> Response:
        """There is something to read."""
        return _NOT_YET if self.exposition is None else _OK


def holds(asked: str | None, tag: str | None) -> bool:
    """Whether a client has it already: If-None-Match, compared weakly (RFC 9110, 13.1.2)."""
    if asked is None or tag is None:
        return False
    return asked.strip() == "*" or tag.removeprefix("W/") in {
        one.strip().removeprefix("W/") for one in asked.split(",")
    }


_FAST = 1
_OVERDUE = "The survey of this host does not end. What stands here was found by the last one that did."
_FAILED = "The last survey of this host failed. What stands here was found by the last one that did not."
_OK = plain(200, "ok")
_NOT_YET = plain(503, "the first survey has not ended")
