"""Certificates of a small authority, made for a test."""

from __future__ import annotations

import datetime as dt
import ipaddress
import ssl
from functools import cache
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

DAY = dt.timedelta(days=1)


class Pair:
    """A certificate and its key."""

    def __init__(self, name: str, issuer: Pair | None = None, *sans: x509.GeneralName) -> None:
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        by = self if issuer is None else issuer
        now = dt.datetime.now(dt.UTC)
        builder = (
            x509.CertificateBuilder(self.name_of(by), self.name, self.key.public_key(), x509.random_serial_number())
            .not_valid_before(now - DAY)
            .not_valid_after(now + DAY)
            .add_extension(x509.BasicConstraints(ca=issuer is None, path_length=None), critical=True)
        )
        if sans:
            builder = builder.add_extension(x509.SubjectAlternativeName(sans), critical=False)
        self.certificate = builder.sign(by.key, hashes.SHA256())

    @staticmethod
    def name_of(pair: Pair) -> x509.Name:
        return pair.name

    @property
    def cert_pem(self) -> str:
        return self.certificate.public_bytes(serialization.Encoding.PEM).decode()

    @property
    def serial(self) -> int:
        return self.certificate.serial_number

    def key_pem(self, passphrase: bytes | None = None) -> str:
        encryption = (
            serialization.NoEncryption() if passphrase is None else serialization.BestAvailableEncryption(passphrase)
        )
        return self.key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, encryption
        ).decode()

    def write(self, directory: Path, name: str) -> None:
        (directory / f"{name}.crt").write_text(self.cert_pem)
        (directory / f"{name}.key").write_text(self.key_pem())


@cache
def authority() -> Pair:
    return Pair("authority")


def server_pair() -> Pair:
    return Pair("server", authority(), x509.DNSName("localhost"))


@cache
def client_pair() -> Pair:
    return Pair(
        "client",
        authority(),
        x509.DNSName("scraper.example"),
        x509.RFC822Name("ops@example.org"),
        x509.IPAddress(ipaddress.ip_address("2001:db8::1")),
        x509.UniformResourceIdentifier("spiffe://cluster/scraper"),
    )


def client_context(directory: Path, client: Pair | None = None) -> ssl.SSLContext:
    """A client that trusts the authority, with a certificate of its own where given."""
    context = ssl.create_default_context(cadata=authority().cert_pem)
    if client is not None:
        client.write(directory, "client")
        context.load_cert_chain(directory / "client.crt", directory / "client.key")
    return context
