"""The web configuration file of the Prometheus exporters, as models.

https://github.com/prometheus/exporter-toolkit/blob/master/docs/web-configuration.md is the document; unknown keys are
refused, as there. Empty values count as not given.
"""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from hostagent.daemon.tls import CURVES, OBSOLETE_VERSIONS, TLS12_SUITES, TLS13_SUITES, VERIFYING, TlsError

BCRYPT = re.compile(r"\$2[abxy]\$(0[4-9]|[12][0-9]|3[01])\$[./A-Za-z0-9]{53}")
NANOSECONDS = {
    "ns": 1,
    "us": 10**3,
    "µs": 10**3,
    "μs": 10**3,
    "ms": 10**6,
    "s": 10**9,
    "m": 60 * 10**9,
    "h": 3600 * 10**9,
}
MOST = 2**63 - 1  # Go's int64: of nanoseconds, of requests
DURATION = re.compile(r"(?:(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:ns|us|µs|μs|ms|s|m|h))+")
UNIT = re.compile(r"([0-9.]+)(ns|us|µs|μs|ms|s|m|h)")


def _refused(message: str) -> PydanticCustomError:
    return PydanticCustomError("web_config", "{message}", {"message": message})


def _suite(name: str) -> str:
    if name not in TLS12_SUITES and name not in TLS13_SUITES:
        raise _refused(f"unknown cipher suite {name}")
    return name


def _bcrypt(hashed: str) -> str:
    if BCRYPT.fullmatch(hashed) is None:
        raise _refused("not a bcrypt hash (htpasswd -nBC 10 '' makes one)")
    return hashed


def _one_line(value: str) -> str:
    if not value.isprintable() or not value.isascii():
        raise _refused("a header value is one line of printable ASCII")
    return value


def _seconds(value: Any) -> Any:
    """A Go duration (`1m30s`), or nanoseconds where it has no unit, as Go reads it."""
    text = str(value)
    if text.isascii() and text.isdecimal():
        nanoseconds = float(text)
    elif DURATION.fullmatch(text) is not None:
        nanoseconds = sum(float(number) * NANOSECONDS[unit] for number, unit in UNIT.findall(text))
    else:
        raise _refused("not a duration like 100ms or 1m30s")
    if nanoseconds > MOST:
        raise _refused("longer than Go's longest duration, 292 years")
    return nanoseconds / 1e9


HeaderValue = Annotated[str, AfterValidator(_one_line)]


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    @model_validator(mode="before")
    @classmethod
    def _given(cls, data: Any) -> Any:
        if data is None:
            return {}
        if not isinstance(data, dict):
            raise _refused("keys and values expected")
        return {key: value for key, value in data.items() if value is not None}


class TlsServerConfig(_Section):
    """tls_server_config. Files are relative to the directory of the configuration."""

    cert: str = ""
    key: str = Field(default="", repr=False)
    client_ca: str = ""
    cert_file: str = ""
    key_file: str = ""
    client_ca_file: str = ""
    client_auth_type: Literal[
        "",
        "NoClientCert",
        "RequestClientCert",
        "RequireClientCert",
        "RequireAnyClientCert",
        "VerifyClientCertIfGiven",
        "RequireAndVerifyClientCert",
    ] = ""
    client_allowed_sans: tuple[str, ...] | None = None
    min_version: Literal["TLS10", "TLS11", "TLS12", "TLS13"] = "TLS12"
    max_version: Literal["TLS10", "TLS11", "TLS12", "TLS13"] = "TLS13"
    cipher_suites: tuple[Annotated[str, AfterValidator(_suite)], ...] = ()
    prefer_server_cipher_suites: bool = True
    curve_preferences: tuple[Literal["CurveP256", "CurveP384", "CurveP521", "X25519"], ...] = ()

    def enabled(self) -> bool:
        """Whether TLS is asked for: one of the keys is set that make no sense without it."""
        certificates = (
            self.cert,
            self.key,
            self.cert_file,
            self.key_file,
            self.client_ca,
            self.client_ca_file,
        )
        return any(certificates) or self.client_auth_type != ""

    def check(self) -> None:
        """What concerns several keys; raises TlsError naming one of them."""
        for inline in ("cert", "key", "client_ca"):
            if getattr(self, inline) and getattr(self, f"{inline}_file"):
                raise TlsError(inline, f"{inline} and {inline}_file are both given")
        for inline in ("cert", "key"):
            if not getattr(self, inline) and not getattr(self, f"{inline}_file"):
                raise TlsError(f"{inline}_file", f"TLS needs {inline} or {inline}_file")
        if self.max_version in OBSOLETE_VERSIONS:
            raise TlsError("max_version", f"{self.max_version} is obsolete (RFC 8996); TLS12 and TLS13 are spoken")
        if self.min_version == "TLS13" and self.max_version == "TLS12":
            raise TlsError("min_version", "above max_version")
        self._check_clients()

    def _check_clients(self) -> None:
        if self.client_auth_type in {"RequireAnyClientCert", "RequireClientCert"}:
            message = "would take any self-made certificate; RequireAndVerifyClientCert is what verifies"
            raise TlsError("client_auth_type", f"{self.client_auth_type} {message}")
        has_ca = "client_ca_file" if self.client_ca_file else "client_ca" if self.client_ca else ""
        if has_ca and self.client_auth_type in {"", "NoClientCert"}:
            raise TlsError(has_ca, "client authorities are given, but client_auth_type asks for no certificate")
        if self.client_allowed_sans is not None and self.client_auth_type != "RequireAndVerifyClientCert":
            raise TlsError("client_allowed_sans", "needs client_auth_type RequireAndVerifyClientCert")

    def notes(self) -> tuple[str, ...]:
        """What is taken but not done as written; for the log."""
        notes = []
        if self.client_auth_type == "RequestClientCert":
            notes.append("client_auth_type RequestClientCert verifies nothing: no client certificate is asked for")
        elif self.client_auth_type in VERIFYING and not (self.client_ca or self.client_ca_file):
            notes.append("no client_ca_file: client certificates of any authority this system trusts are accepted")
        if self.min_version in OBSOLETE_VERSIONS:
            notes.append(f"min_version {self.min_version} is raised to TLS12 (RFC 8996)")
        if len(set(self.curve_preferences)) > 1:
            chosen = "CurveP256" if "CurveP256" in self.curve_preferences else self.curve_preferences[0]
            notes.append(f"of curve_preferences only {chosen} is used: Python's ssl can set one")
        return tuple(notes)


class Headers(_Section):
    """http_server_config.headers: these five and no other."""

    strict_transport_security: HeaderValue = Field(default="", alias="Strict-Transport-Security")
    x_content_type_options: Literal["nosniff", ""] = Field(default="", alias="X-Content-Type-Options")
    x_frame_options: Literal["deny", "sameorigin", ""] = Field(default="", alias="X-Frame-Options")
    x_xss_protection: HeaderValue = Field(default="", alias="X-XSS-Protection")
    content_security_policy: HeaderValue = Field(default="", alias="Content-Security-Policy")

    def pairs(self) -> tuple[tuple[str, str], ...]:
        """The headers that are given."""
        return tuple((name, value) for name, value in self.model_dump(by_alias=True).items() if value)


class HttpServerConfig(_Section):
    """http_server_config. `http2` is taken and has no effect: HTTP/1.1 is spoken."""

    http2: bool | None = None
    headers: Headers = Field(default_factory=Headers)


class RateLimit(_Section):
    """rate_limit: one request each `interval` seconds, `burst` at once; interval 0 is no limit."""

    interval: Annotated[float, BeforeValidator(_seconds)] = 0.0
    burst: Annotated[int, Field(ge=0, le=MOST)] = 0


class WebConfig(_Section):
    """The whole file."""

    tls_server_config: TlsServerConfig = Field(default_factory=TlsServerConfig)
    http_server_config: HttpServerConfig = Field(default_factory=HttpServerConfig)
    basic_auth_users: dict[str, Annotated[str, AfterValidator(_bcrypt)]] = Field(default_factory=dict, repr=False)
    rate_limit: RateLimit = Field(default_factory=RateLimit)


assert set(CURVES) == {"CurveP256", "CurveP384", "CurveP521", "X25519"}
