"""From a request to its response: rate, password, method, page, in this order."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping

from hostagent.daemon.http_guard import Protection, credentials
from hostagent.daemon.http_message import BadQueryError, Page, Request, Response, plain
from hostagent.daemon.http_passwords import Passwords

log = logging.getLogger("hostagent.web")

UNAUTHORIZED = plain(401, "", ("WWW-Authenticate", 'Basic realm="hostagent", charset="UTF-8"'))
TOO_MANY = plain(429, "", ("Retry-After", "1"))
BUSY = plain(503, "503 too many passwords are waiting to be checked", ("Retry-After", "1"))
NOT_ALLOWED = plain(405, "", ("Allow", "GET, HEAD"))
NOT_FOUND = plain(404)
BROKEN = plain(500)


class Gate:
    """Pages by exact path, behind what the web configuration demands."""

    def __init__(self, routes: Mapping[str, Page], passwords: Passwords) -> None:
        """`routes` is read on every request: its owner may change it."""
        self._routes, self._passwords = routes, passwords

    def pass_through(self, request: Request, protection: Protection, done: Callable[[Response], None]) -> None:
        """Call `done` with the response, now or after a password check."""
        if protection.rate is not None and not protection.rate.take():
            done(TOO_MANY)
        elif not protection.users:
            done(self._page(request))
        else:
            self._authenticate(request, protection, done)

    def _authenticate(self, request: Request, protection: Protection, done: Callable[[Response], None]) -> None:
        given = credentials(request.header("authorization"))
        if given is None:
            done(UNAUTHORIZED)
            return

        def checked(right: bool) -> None:  # noqa: FBT001 - the verdict
            done(self._page(request) if right else UNAUTHORIZED)

        known = self._passwords.check(protection, *given, peer=request.peer, done=checked)
        if known is True:
            done(self._page(request))
        elif known is False:
            done(BUSY)

    def _page(self, request: Request) -> Response:
        if request.method not in {"GET", "HEAD"}:
            return NOT_ALLOWED
        page = self._routes.get(request.path)
        if page is None:
            return NOT_FOUND
        try:
            return page(request)
        except BadQueryError as error:
            return plain(400, f"400 {error}")
        except Exception:
            log.exception("page %s failed", request.path)
            return BROKEN
