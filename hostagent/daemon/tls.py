"""An SSLContext out of the `tls_server_config` section of a web configuration.

The section speaks Go's crypto/tls; here stands what that means to OpenSSL, and where Python cannot do the same:

* client_auth_type RequestClientCert asks for a certificate and ignores it: treated as NoClientCert. RequireAnyClientCert
  takes any self-made certificate, which Python cannot and nobody should: refused.
* min_version below TLS12 is raised to TLS12 (RFC 8996), max_version below it is refused.
* Of several curve_preferences, Python's ssl can set one: P-256, which every client has (RFC 8446, 9.1), if it is among
  them, else the first.

Certificate and key are read here and handed to OpenSSL through a memfd, so that what was checked is what is used, and
inline PEM never touches a disk.
"""

from __future__ import annotations

import ipaddress
import os
import ssl
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hostagent.daemon.webconfig_model import TlsServerConfig

VERSIONS = {"TLS12": ssl.TLSVersion.TLSv1_2, "TLS13": ssl.TLSVersion.TLSv1_3}
OBSOLETE_VERSIONS = ("TLS10", "TLS11")
VERIFYING = {
    "VerifyClientCertIfGiven": ssl.CERT_OPTIONAL,
    "RequireAndVerifyClientCert": ssl.CERT_REQUIRED,
}
CURVES = {"CurveP256": "prime256v1", "CurveP384": "secp384r1", "CurveP521": "secp521r1", "X25519": "X25519"}

# Go's name: OpenSSL's. TLS 1.3 suites are always on in Go and here; naming them only means no TLS 1.2.
TLS13_SUITES = frozenset(
    ("TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256"),
)
TLS12_SUITES = {
    "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256": "ECDHE-ECDSA-AES128-GCM-SHA256",
    "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384": "ECDHE-ECDSA-AES256-GCM-SHA384",
    "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256": "ECDHE-ECDSA-CHACHA20-POLY1305",
    "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256": "ECDHE-RSA-AES128-GCM-SHA256",
    "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384": "ECDHE-RSA-AES256-GCM-SHA384",
    "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256": "ECDHE-RSA-CHACHA20-POLY1305",
    "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA": "ECDHE-ECDSA-AES128-SHA",
    "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA": "ECDHE-ECDSA-AES256-SHA",
    "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA": "ECDHE-RSA-AES128-SHA",
    "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA": "ECDHE-RSA-AES256-SHA",
    "TLS_RSA_WITH_AES_128_GCM_SHA256": "AES128-GCM-SHA256",
    "TLS_RSA_WITH_AES_256_GCM_SHA384": "AES256-GCM-SHA384",
    "TLS_RSA_WITH_AES_128_CBC_SHA": "AES128-SHA",
    "TLS_RSA_WITH_AES_256_CBC_SHA": "AES256-SHA",
}


class TlsError(Exception):
    """The section cannot be used; `key` is the key of the section that is at fault."""

    def __init__(self, key: str, message: str) -> None:
        super().__init__(message)
        self.key = key


def server_context(section: TlsServerConfig, contents: Mapping[str, bytes]) -> ssl.SSLContext:
    """The context for new connections. `contents`: the PEM text of "cert", "key" and, if any, "client_ca"."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.options |= ssl.OP_NO_RENEGOTIATION | ssl.OP_NO_COMPRESSION
    context.set_alpn_protocols(["http/1.1"])
    _set_versions(context, section)
    _set_ciphers(context, section)
    _set_curves(context, section.curve_preferences)
    _load_chain(context, contents["cert"], contents["key"])
    _set_clients(context, section, contents.get("client_ca"))
    return context


def _set_versions(context: ssl.SSLContext, section: TlsServerConfig) -> None:
    context.minimum_version = VERSIONS.get(section.min_version, ssl.TLSVersion.TLSv1_2)
    context.maximum_version = VERSIONS[section.max_version]


def _set_ciphers(context: ssl.SSLContext, section: TlsServerConfig) -> None:
    if section.prefer_server_cipher_suites:
        context.options |= ssl.OP_CIPHER_SERVER_PREFERENCE
    else:
        context.options &= ~ssl.OP_CIPHER_SERVER_PREFERENCE
    if not section.cipher_suites:
        return
    names = [TLS12_SUITES[suite] for suite in section.cipher_suites if suite in TLS12_SUITES]
    if names:
        context.set_ciphers(":".join(names))
    elif context.maximum_version == ssl.TLSVersion.TLSv1_2:
        raise TlsError("cipher_suites", "no suite for TLS12, which max_version demands")
    else:
        context.minimum_version = ssl.TLSVersion.TLSv1_3


def _set_curves(context: ssl.SSLContext, curves: tuple[str, ...]) -> None:
    if curves:
        context.set_ecdh_curve(CURVES["CurveP256" if "CurveP256" in curves else curves[0]])


def _load_chain(context: ssl.SSLContext, cert: bytes, key: bytes) -> None:
    def no_passphrase() -> str:
        raise TlsError("key", "the private key is encrypted; there is nobody to ask for its passphrase")

    memory = os.memfd_create("hostagent-tls")
    try:
        with open(memory, "wb", closefd=False) as file:
            file.write(cert + b"\n" + key)
        context.load_cert_chain(f"/proc/self/fd/{memory}", password=no_passphrase)
    except ssl.SSLError as error:
        raise TlsError("cert", f"certificate and private key cannot be used: {_reason(error)}") from error
    finally:
        os.close(memory)


def _set_clients(context: ssl.SSLContext, section: TlsServerConfig, client_ca: bytes | None) -> None:
    context.verify_mode = VERIFYING.get(section.client_auth_type, ssl.CERT_NONE)
    if context.verify_mode == ssl.CERT_NONE:
        return
    if client_ca is None:
        context.load_default_certs(ssl.Purpose.CLIENT_AUTH)
        return
    try:
        context.load_verify_locations(cadata=client_ca.decode("ascii", "replace"))
    except (ssl.SSLError, ValueError) as error:
        raise TlsError("client_ca", "no certificate of an authority is in it") from error


def _reason(error: ssl.SSLError) -> str:
    """OpenSSL's words without its tags and source line; "PEM lib" is what it says of anything that is not PEM."""
    words = str(error).partition("] ")[2].partition(" (_ssl")[0]
    return "not PEM, or damaged" if words in {"", "PEM lib"} else words


def client_is_allowed(certificate: Mapping[str, Any] | None, allowed: frozenset[str]) -> bool:
    """Whether one subject alternative name (DNS, IP, e-mail, URI) of a verified certificate is exactly an allowed one."""
    addresses = {_address(name) for name in allowed} - {None}
    for kind, value in (certificate or {}).get("subjectAltName", ()):
        if kind == "IP Address" and _address(value) in addresses:
            return True
        if kind in {"DNS", "email", "URI"} and value in allowed:
            return True
    return False


def is_admitted(tls: ssl.SSLSocket | None, context: ssl.SSLContext | None, allowed: frozenset[str] | None) -> bool:
    """Whether a connection that is open would be let in under `context` and `allowed` too, as far as its client goes."""
    if tls is None or context is None:
        return tls is None and context is None
    if context.verify_mode > tls.context.verify_mode:
        return False
    if context.verify_mode != ssl.CERT_NONE and not _authorities(tls.context) <= _authorities(context):
        return False
    return allowed is None or client_is_allowed(tls.getpeercert(), allowed)


def _authorities(context: ssl.SSLContext) -> frozenset[bytes]:
    return frozenset(context.get_ca_certs(binary_form=True))


def _address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """OpenSSL writes IPv6 in full and upper case, people do not."""
    try:
        return ipaddress.ip_address(text.strip())
    except ValueError:
        return None
