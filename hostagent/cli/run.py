"""`hostagent run`: the agent itself, on every node, for as long as the node runs."""

from __future__ import annotations

import os

from hostagent.cli.entry import UsageError
from hostagent.cli.output import OutputError

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse
    from typing import NoReturn

LEVELS = ("debug", "info", "warning", "error")
SINKS = ("nfd", "report", "textfile")


def arguments(parser: argparse.ArgumentParser) -> None:
    """What `run` takes. What stands in the configuration file too overrides it."""
    parser.add_argument(
        "--config", metavar="FILE", help="settings (default: /etc/hostagent/config.yaml, where it exists)"
    )
    parser.add_argument(
        "--profile", metavar="FILE", help="what the node is to be: findings and drift are published too"
    )
    parser.add_argument("--root", default="/", metavar="DIR", help="the machine to look at (default: this one)")
    parser.add_argument(
        "--web.listen-address", dest="listen", action="append", metavar="ADDRESS",
        help="host:port, [ipv6]:port, :port for all interfaces, unix:/path; repeatable (default: 127.0.0.1:10346)",
    )  # fmt: skip
    parser.add_argument(
        "--web.config.file",
        dest="web_config",
        metavar="FILE",
        help="TLS and passwords, as for every Prometheus exporter",
    )
    parser.add_argument(
        "--sink", dest="sinks", action="append", choices=SINKS, help="publish to this file, and to no other; repeatable"
    )
    parser.add_argument("--once", action="store_true", help="survey, write the files, and end; no server")
    parser.add_argument(
        "--node-name",
        metavar="NAME",
        help="what this node is called (default: `node` of the settings, else $NODE_NAME, else the host name)",
    )
    parser.add_argument("--log.level", dest="log_level", choices=LEVELS, help="default: info")


def run(options: argparse.Namespace) -> int:
    """Run until SIGTERM."""
    from hostagent.daemon.configured import ConfigError, Said, configured
    from hostagent.daemon.http_listen import ListenError
    from hostagent.daemon.service import once, serve
    from hostagent.host.reader import RootError

    said = Said(
        config=_absolute(options.config),
        profile=_absolute(options.profile),
        listen=None if options.listen is None else tuple(options.listen),
        web_config=_absolute(options.web_config),
        log_level=options.log_level,
        sinks=None if options.sinks is None else tuple(options.sinks),
        node_name=options.node_name,
    )
    try:
        if options.once:
            if not once(root=options.root, said=said, holds=configured(said)):
                raise OutputError("not every file could be written")
        else:
            from hostagent.daemon.hangup import Hangup

            hangup = Hangup()  # before the files are read: what is changed from here on is read again
            if not serve(root=options.root, said=said, holds=configured(said), hangup=hangup):
                _leave()
    except RootError as error:
        raise UsageError(f"--root {error}") from error
    except (ConfigError, ListenError) as error:
        raise UsageError(str(error)) from error
    return 0


def _leave() -> NoReturn:
    """End at once: a thread that still hashes or reads would find the interpreter taken apart, and abort."""
    import logging

    logging.shutdown()
    os._exit(0)


def _absolute(path: str | None) -> str | None:
    return None if path is None else os.path.abspath(path)
