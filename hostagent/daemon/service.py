"""`hostagent run`: the agent, its web server and its wake sources put together, from the first signal to the last."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING

from hostagent.daemon.agent import Agent
from hostagent.daemon.configured import ConfigError, Configured, Said
from hostagent.daemon.frugal import one_arena
from hostagent.daemon.hangup import Hangup
from hostagent.daemon.http import Server
from hostagent.daemon.http_listen import ListenError, examine
from hostagent.daemon.http_message import LIMITS
from hostagent.daemon.journal import start_log
from hostagent.daemon.metrics import own_families
from hostagent.daemon.pages import Pages
from hostagent.daemon.sdnotify import Notifier, inherited
from hostagent.daemon.wake import Ears
from hostagent.host import Host

if TYPE_CHECKING:
    from prometheus_client.metrics_core import Metric as Family

    from hostagent.daemon.webconfig import WebConfigFile
    from hostagent.settings import Web

log = logging.getLogger("hostagent")

# Together below the 2 s within which the agent has to be gone.
ANSWERS_SECONDS, FILES_SECONDS = 0.8, 0.8


def serve(*, root: str, said: Said, holds: Configured, hangup: Hangup) -> bool:
    """Run until SIGTERM or SIGINT. False where a thread is at work still. Raises RootError, ConfigError, ListenError."""
    agent = Agent(root=root, said=said, holds=holds, notifier=(notifier := Notifier(os.environ)))
    Host(root).close()
    one_arena()
    start_log(holds.settings.log.level, os.environ)
    return asyncio.run(_serve(agent, holds, notifier, hangup))


def once(*, root: str, said: Said, holds: Configured) -> bool:
    """Survey, write the files, and say whether all could be written. Raises RootError."""
    Host(root).close()
    start_log(holds.settings.log.level, os.environ)
    notifier = Notifier(os.environ)
    return asyncio.run(Agent(root=root, said=said, holds=holds, notifier=notifier).once())


async def _serve(agent: Agent, holds: Configured, notifier: Notifier, hangup: Hangup) -> bool:
    server = await _server(agent, holds)
    agent.examine = partial(_examine, server)
    ears = Ears(agent.ring, agent.vitals.sources_up)
    agent.listen = ears.listen
    working = asyncio.current_task()
    assert working is not None
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, working.cancel)
    # Not by the loop, which leaves death behind when it is closed.
    hangup.then(partial(loop.call_soon_threadsafe, agent.reload))
    try:
        with suppress(asyncio.CancelledError):
            await agent.run()
    finally:
        hangup.end()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, _nothing)
        notifier.stopping()
        ears.close()
        checked = server is None or await server.close(ANSWERS_SECONDS)
        # A file that is being written is still written whole; one that cannot be is left as it was.
        surveyed = agent.worker.close(FILES_SECONDS)
    if not surveyed:
        log.warning("the survey does not end; leaving without it")
    return checked and surveyed


async def _server(agent: Agent, holds: Configured) -> Server | None:
    """The web server on the sockets systemd hands over, else on the addresses in the settings; None where there are none."""
    given = tuple(one.socket for one in inherited(os.environ))
    where = given or holds.settings.web.listen
    if not where:
        return None
    web_config = None if holds.settings.web.config is None else _web_config(holds.settings.web.config)
    loop = asyncio.get_running_loop()
    pages = Pages(own=lambda chosen: _own(agent, server, chosen), overdue=agent.overdue, clock=loop.time)
    server = Server(routes=pages.routes(), limits=LIMITS, web_config=web_config)
    await server.start(where, called=holds.settings.web.listen)
    agent.pages, agent.reloaded = pages, server.warn
    return server


def _examine(server: Server | None, web: Web) -> None:
    """Whether the next start could do with these settings. Raises ConfigError."""
    if web.config is not None:
        _web_config(web.config)
    if server is not None and server.inherited:
        return  # systemd says where
    try:
        examine(web.listen, () if server is None else server.listening)
    except ListenError as error:
        raise ConfigError(f"web.listen: {error}") from error


def _web_config(path: str) -> WebConfigFile:
    from hostagent.daemon.webconfig import WebConfigError, WebConfigFile

    try:
        return WebConfigFile(path)
    except WebConfigError as error:
        raise ConfigError(str(error)) from error


def _nothing() -> None:
    """We are leaving already."""


def _own(agent: Agent, server: Server, chosen: frozenset[str]) -> list[Family]:
    return own_families(
        look=agent.look,
        chosen=chosen,
        vitals=agent.vitals,
        sinks=agent.sinks,
        requests=server.requests,
        dropped=server.dropped,
        connections=server.open_connections,
        web_config_holds=server.web_config_holds,
    )
