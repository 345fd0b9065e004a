"""`--web.config.file`: TLS, passwords, headers and rate, re-read when the file or a certificate changes.

    web = WebConfigFile("/etc/hostagent/web.yml")   # WebConfigError: the file cannot be used
    web.current()                                   # what holds now

`current` looks at the files' status on every connection and request (a few microseconds each) and reads them only when it
differs, so a rotated certificate serves the next connection. A new file that cannot be used, or that would take TLS, the
check of client certificates or all passwords away, is logged once and the old one stays: half a file, seen while an editor
writes it, must not open the door. Taking protection away needs a restart.

The format is that of the exporter-toolkit; where we are stricter than it, webconfig_model.py and tls.py say so.
"""

from __future__ import annotations

import logging
import os
import ssl
import time
from collections.abc import Iterable, Mapping

from pydantic import ValidationError

from hostagent.daemon import webconfig_text as text
from hostagent.daemon.http_guard import Protection, TokenBucket, decoy
from hostagent.daemon.tls import TlsError, server_context
from hostagent.daemon.webconfig_model import WebConfig
from hostagent.host.limits import CONFIGURED_BYTES as FILE_BYTES
from hostagent.host.regular import TooLargeError
from hostagent.host.regular import content as content_of
from hostagent.values.record import record

log = logging.getLogger("hostagent.web")

TICK_SECONDS = 0.05  # kernels stamp files by the clock tick: within one, a second write may leave the status as it was

Status = tuple[int, ...] | None


class WebConfigError(Exception):
    """The file cannot be used: file, line, key and what is wrong, in one line."""


@record
class _Loaded:
    """One reading. `contents`: path -> bytes of the configuration and of the files it names."""

    contents: Mapping[str, bytes]
    config: WebConfig
    protection: Protection


class WebConfigFile:
    """The file and what it demands now."""

    def __init__(self, path: str) -> None:
        """Read it, or raise WebConfigError."""
        self._path = os.path.abspath(path)
        self._watched: dict[str, Status] = {}
        self._read_at = 0.0
        self._settled = False
        self._complaint = ""
        self._loaded = self._load(None)
        self._remember(self._loaded)

    def current(self) -> Protection:
        """What is demanded now; the same object as long as nothing changed."""
        if self._changed():
            self._reload()
        return self._loaded.protection

    @property
    def holds(self) -> bool:
        """Whether what is demanded is what the files said when they were last read."""
        return self._complaint == ""

    def _changed(self) -> bool:
        if any(_status(path) != status for path, status in self._watched.items()):
            return True
        return not self._settled and time.monotonic() - self._read_at > TICK_SECONDS

    def _reload(self) -> None:
        old = self._loaded
        try:
            new = self._load(old)
            self._refuse_weaker(old.protection, new.protection)
        except Exception as error:  # noqa: BLE001 - whatever it is, who is served now is served on
            self._complain(error)
            return
        self._complaint = ""
        if new is not old:
            self._loaded = new
            self._remember(new)

    def _complain(self, error: Exception) -> None:
        """Once, and with its traceback where the fault is ours."""
        said = str(error) if isinstance(error, WebConfigError) else f"{self._path}: {type(error).__name__}: {error}"
        if said != self._complaint:
            trace = None if isinstance(error, WebConfigError) else error
            log.error("%s; the old web configuration stays", said, exc_info=trace)
        self._complaint = said

    def _refuse_weaker(self, old: Protection, new: Protection) -> None:
        if weaker := _weaker(old, new):
            raise WebConfigError(f"{self._path}: would take away {weaker}: restart to do that")

    def _remember(self, loaded: _Loaded) -> None:
        for note in _notes(loaded.config):
            log.warning("%s: %s", self._path, note)
        log.info(
            "web configuration %s: TLS %s, %d users",
            self._path,
            "on" if loaded.protection.tls is not None else "off",
            len(loaded.protection.users),
        )

    def _load(self, old: _Loaded | None) -> _Loaded:
        """Read everything; `old` itself where all bytes are as they were."""
        stamp = time.monotonic()
        watched = {self._path: _status(self._path)}
        try:
            written = _read(self._path)
            config = parse(written, self._path)
            named = _named_files(config, os.path.dirname(self._path))
            watched |= {path: _status(path) for path in named.values()}
            contents = {self._path: written}
            contents |= {path: self._read_named(key, path, written) for key, path in named.items()}
        finally:
            # a second look follows after one tick, unless this reading is that second look
            watched = self._watched | watched
            self._settled = watched == self._watched
            self._watched = watched
            self._read_at = stamp
        if old is not None and contents == old.contents:
            return old
        return _Loaded(contents=contents, config=config, protection=self._protection(config, contents, named, old))

    def _read_named(self, key: str, path: str, written: bytes) -> bytes:
        try:
            return _read(path)
        except WebConfigError as error:
            raise _error(self._path, text.read(written), ("tls_server_config", key), str(error)) from error

    def _protection(
        self, config: WebConfig, contents: Mapping[str, bytes], named: Mapping[str, str], old: _Loaded | None
    ) -> Protection:
        section = config.tls_server_config
        users = {user.encode(): hashed.encode() for user, hashed in config.basic_auth_users.items()}
        sans = section.client_allowed_sans
        keep_rate = old is not None and old.config.rate_limit == config.rate_limit
        return Protection(
            tls=self._context(config, contents, named) if section.enabled() else None,
            allowed_sans=None if sans is None else frozenset(sans),
            headers=config.http_server_config.headers.pairs(),
            users=users,
            decoy=decoy(users),
            rate=old.protection.rate if keep_rate and old is not None else _bucket(config),
        )

    def _context(self, config: WebConfig, contents: Mapping[str, bytes], named: Mapping[str, str]) -> ssl.SSLContext:
        section = config.tls_server_config
        pem = {
            inline: getattr(section, inline).encode() or contents[named[f"{inline}_file"]]
            for inline in ("cert", "key", "client_ca")
            if getattr(section, inline) or f"{inline}_file" in named
        }
        try:
            return server_context(section, pem)
        except TlsError as error:
            key = error.key if getattr(section, error.key, None) else f"{error.key}_file"
            where = ("tls_server_config", key)
            raise _error(self._path, text.read(contents[self._path]), where, str(error)) from error


def parse(written: bytes, path: str) -> WebConfig:
    """The models of a configuration text; WebConfigError names file, line and key. Certificates are not looked at."""
    try:
        source = text.read(written)
    except text.TextError as error:
        raise WebConfigError(f"{path}:{error.line}: {error}") from error
    try:
        config = WebConfig.model_validate(source.data)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        message = "unknown key" if first["type"] == "extra_forbidden" else first["msg"]
        raise _error(path, source, first["loc"], message) from error
    try:
        if config.tls_server_config.enabled():
            config.tls_server_config.check()
    except TlsError as error:
        raise _error(path, source, ("tls_server_config", error.key), str(error)) from error
    rate = config.rate_limit
    if rate.interval > 0 and rate.burst < 1:
        raise _error(path, source, ("rate_limit", "burst"), "must be at least 1, or every request is refused")
    return config


def _error(path: str, source: text.Text, where: text.Where, message: str) -> WebConfigError:
    key = ".".join(str(part) for part in where)
    return WebConfigError(f"{path}:{source.line(where)}: {key}: {message}" if key else f"{path}:1: {message}")


def _notes(config: WebConfig) -> Iterable[str]:
    if config.tls_server_config.enabled():
        yield from config.tls_server_config.notes()
    if config.http_server_config.http2:
        yield "http_server_config.http2 has no effect: HTTP/1.1 is spoken"


def _bucket(config: WebConfig) -> TokenBucket | None:
    rate = config.rate_limit
    return TokenBucket(interval=rate.interval, burst=rate.burst) if rate.interval > 0 else None


def _weaker(old: Protection, new: Protection) -> str | None:
    """What `new` no longer protects."""
    if old.tls is not None and new.tls is None:
        return "TLS"
    if old.tls is not None and new.tls is not None and new.tls.verify_mode < old.tls.verify_mode:
        return "the check of client certificates"
    if old.allowed_sans is not None and new.allowed_sans is None:
        return "client_allowed_sans"
    return "all passwords" if old.users and not new.users else None


def _named_files(config: WebConfig, directory: str) -> dict[str, str]:
    section = config.tls_server_config
    if not section.enabled():
        return {}
    keys = ("cert_file", "key_file", "client_ca_file")
    return {key: os.path.join(directory, getattr(section, key)) for key in keys if getattr(section, key)}


def _status(path: str) -> Status:
    try:
        found = os.stat(path)
    except OSError:
        return None
    return (found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns)


def _read(path: str) -> bytes:
    """The bytes of a regular file; nothing else is opened."""
    try:
        return content_of(path, FILE_BYTES)
    except OSError as error:
        raise WebConfigError(f"{path}: {error.strerror}") from error
    except TooLargeError as error:
        raise WebConfigError(f"{path}: larger than {FILE_BYTES} bytes") from error
