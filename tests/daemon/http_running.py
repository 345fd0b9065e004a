"""A server on a loop of its own thread, and blocking clients to ask it with."""

from __future__ import annotations

import asyncio
import http.client
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from hostagent.daemon.http import Listener, Server
from hostagent.daemon.http_message import LIMITS, Limits, Page, Request, Response, prepared
from hostagent.daemon.webconfig import WebConfigFile
from tests.daemon.running import SECONDS

BIG = b"0123456789abcdef" * 500_000  # 8 MB: more than the kernel takes from a server whose client does not read


def metrics(request: Request) -> Response:
    return prepared("text/plain; charset=utf-8", b"up 1\n", gzipped=b"(gzipped)", vary=("Accept",))


def big(request: Request) -> Response:
    return prepared("application/octet-stream", BIG)


# What every answer has to carry, whatever it is.
ALWAYS = {
    "x-content-type-options": "nosniff",
    "cross-origin-resource-policy": "same-origin",
    "cache-control": "no-store",
}
PAGES: Mapping[str, Page] = {"/metrics": metrics, "/big": big}


class Running:
    def __init__(self, server: Server, loop: asyncio.AbstractEventLoop) -> None:
        self.server, self.loop = server, loop
        self.port = int(server.addresses[0].rpartition(":")[2]) if server.addresses[0][0] != "u" else 0

    def connect(self, tls: ssl.SSLContext | None = None) -> socket.socket:
        sock = socket.create_connection(("127.0.0.1", self.port), timeout=SECONDS)
        return sock if tls is None else tls.wrap_socket(sock, server_hostname="localhost")

    def get(
        self, path: str = "/metrics", *headers: str, method: str = "GET", tls: ssl.SSLContext | None = None
    ) -> Answer:
        with self.connect(tls) as sock:
            return ask(sock, path, *headers, method=method)

    def call(self, function: Callable[[], Any]) -> Any:
        """Run on the server's loop."""

        async def on_the_loop() -> Any:
            return function()

        return asyncio.run_coroutine_threadsafe(on_the_loop(), self.loop).result(5)

    def close(self, within: float) -> float:
        """Close the server; how long it took."""
        began = time.monotonic()
        asyncio.run_coroutine_threadsafe(self.server.close(within), self.loop).result(10)
        return time.monotonic() - began

    def until(self, holds: Callable[[], bool], seconds: float = 60.0) -> None:
        """Wait until something holds on the loop."""
        patience = time.monotonic() + seconds
        while not self.call(holds):
            assert time.monotonic() < patience, "it never became true"
            time.sleep(0.01)


Answer = tuple[int, dict[str, str], bytes]


def ask(sock: socket.socket, path: str = "/metrics", *headers: str, method: str = "GET") -> Answer:
    """One request, and its answer in full; the connection stays open where the server keeps it."""
    lines = (f"{method} {path} HTTP/1.1", "Host: localhost", *headers, "", "")
    sock.sendall("\r\n".join(lines).encode("latin-1"))
    return read_answer(sock, method)


def read_answer(sock: socket.socket, method: str = "GET") -> Answer:
    with http.client.HTTPResponse(sock, method=method) as response:
        response.begin()
        return response.status, {k.lower(): v for k, v in response.getheaders()}, response.read()


def is_closed_by_peer(sock: socket.socket) -> bool:
    try:
        return sock.recv(1) == b""
    except ConnectionResetError:
        return True


@contextmanager
def running(
    *,
    routes: Mapping[str, Page] = PAGES,
    limits: Limits = LIMITS,
    web_config: WebConfigFile | None = None,
    listeners: Sequence[Listener] = ("127.0.0.1:0",),
    called: Sequence[str] = (),
) -> Iterator[Running]:
    """A started server; at the end it must be empty, and no callback may have failed."""
    loop = asyncio.new_event_loop()
    failures: list[dict[str, Any]] = []
    loop.set_exception_handler(lambda _, context: failures.append(context))
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    try:
        server = Server(routes=routes, limits=limits, web_config=web_config)
        asyncio.run_coroutine_threadsafe(server.start(listeners, called=called), loop).result(5)
        site = Running(server, loop)
        try:
            yield site
        finally:
            site.close(1.0)
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()
    assert failures == []
    assert server.open_connections == 0
