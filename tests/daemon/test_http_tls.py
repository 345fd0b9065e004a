"""TLS with real certificates, and those who abuse it."""

from __future__ import annotations

import contextlib
import logging
import socket
import ssl
import time
from pathlib import Path

import pytest

from hostagent.daemon.http_message import LIMITS
from hostagent.daemon.tls import client_is_allowed
from hostagent.daemon.webconfig import WebConfigFile
from hostagent.values.record import replaced
from tests.daemon.http_certificates import Pair, authority, client_context, client_pair, server_pair
from tests.daemon.http_running import BIG, ask, is_closed_by_peer, read_answer, running
from tests.daemon.running import SECONDS

TLS = "tls_server_config:\n  cert_file: server.crt\n  key_file: server.key\n"
MUTUAL = TLS + "  client_auth_type: RequireAndVerifyClientCert\n  client_ca_file: ca.crt\n"


def web_config(directory: Path, text: str = TLS) -> WebConfigFile:
    server_pair().write(directory, "server")
    (directory / "ca.crt").write_text(authority().cert_pem)
    (directory / "web.yml").write_text(text)
    return WebConfigFile(str(directory / "web.yml"))


def test_pages_over_tls(tmp_path: Path) -> None:
    client = client_context(tmp_path)
    with running(web_config=web_config(tmp_path)) as site, site.connect(client) as sock:
        assert isinstance(sock, ssl.SSLSocket)
        assert sock.version() == "TLSv1.3"
        assert ask(sock)[::2] == (200, b"up 1\n")
        assert ask(sock, "/big")[2] == BIG
        assert ask(sock, "/metrics", "Connection: close")[0] == 200
        assert sock.recv(1) == b""  # with close_notify: an end without one is an SSLEOFError


def test_http11_is_agreed_on_though_h2_is_preferred(tmp_path: Path) -> None:
    client = client_context(tmp_path)
    client.set_alpn_protocols(["h2", "http/1.1"])
    with running(web_config=web_config(tmp_path)) as site, site.connect(client) as sock:
        assert isinstance(sock, ssl.SSLSocket)
        assert sock.selected_alpn_protocol() == "http/1.1"


def test_pipelined_requests_in_one_record(tmp_path: Path) -> None:
    with running(web_config=web_config(tmp_path)) as site, site.connect(client_context(tmp_path)) as sock:
        sock.sendall(b"GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n" * 400)
        got = b""
        while got.count(b"up 1\n") < 400:
            got += sock.recv(1 << 20)


def test_refusal_over_tls_arrives(tmp_path: Path) -> None:
    with running(web_config=web_config(tmp_path)) as site, site.connect(client_context(tmp_path)) as sock:
        assert ask(sock, "/metrics", "X: " + "a" * 100_000)[0] == 431


def test_idle_end_over_tls_is_polite(tmp_path: Path) -> None:
    limits, client = replaced(LIMITS, idle_seconds=0.1), client_context(tmp_path)
    with running(web_config=web_config(tmp_path), limits=limits) as site, site.connect(client) as sock:
        assert ask(sock)[0] == 200
        assert sock.recv(1) == b""  # else an SSLEOFError


def test_silent_and_garbled_handshakes_hold_nobody(tmp_path: Path) -> None:
    limits = replaced(LIMITS, request_seconds=5.0)
    with running(web_config=web_config(tmp_path), limits=limits) as site, contextlib.ExitStack() as stack:
        socks = [stack.enter_context(site.connect()) for _ in range(40)]
        for sock in socks[:10]:
            sock.sendall(b"\x16\x03\x01\x02\x00\x01\x00")  # the beginning of a ClientHello
        for sock in socks[10:20]:
            sock.sendall(bytes(range(256)) * 4)
        assert site.get(tls=client_context(tmp_path))[0] == 200
        assert "deadline" not in site.server.dropped  # nobody had to be waited out
        site.until(lambda: site.server.open_connections == 0)
        assert site.server.dropped == {"handshake": 10, "deadline": 30}


def test_gone_before_the_handshake(tmp_path: Path) -> None:
    with running(web_config=web_config(tmp_path)) as site:
        for _ in range(10):
            sock = site.connect()
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
            sock.close()
        site.until(lambda: sum(site.server.dropped.values()) == 10)
        assert set(site.server.dropped) <= {"reset", "handshake"}


def test_plain_http_to_the_tls_port_is_told_so(tmp_path: Path) -> None:
    with running(web_config=web_config(tmp_path)) as site, site.connect() as sock:
        sock.sendall(b"GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert read_answer(sock)[::2] == (400, b"400 this port speaks HTTPS\n")


def test_plain_http_to_the_tls_port_and_gone(tmp_path: Path) -> None:
    with running(web_config=web_config(tmp_path)) as site:
        site.loop.call_soon_threadsafe(time.sleep, 0.2)  # the server looks when the client has gone
        sock = site.connect()
        sock.sendall(b"GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        sock.close()
        site.until(lambda: sum(site.server.dropped.values()) == 1)
        assert site.server.open_connections == 0


def test_no_room_on_a_tls_port_is_a_close(tmp_path: Path) -> None:
    limits = replaced(LIMITS, connections=1, stall_seconds=60.0, send_buffer=4096)
    with (
        running(web_config=web_config(tmp_path), limits=limits) as site,
        site.connect(client_context(tmp_path)) as busy,
    ):
        busy.sendall(b"GET /big HTTP/1.1\r\nHost: localhost\r\n\r\n")
        site.until(lambda: site.server.requests[200] == 1)
        with site.connect() as refused:
            assert is_closed_by_peer(refused)


@pytest.mark.parametrize(
    ("keys", "versions"),
    [
        ("", ("TLSv1.2", "TLSv1.3")),
        ("  min_version: TLS13\n", (None, "TLSv1.3")),
        ("  max_version: TLS12\n", ("TLSv1.2", None)),
        ("  min_version: TLS10\n", ("TLSv1.2", "TLSv1.3")),
        ("  cipher_suites: [TLS_AES_128_GCM_SHA256]\n", (None, "TLSv1.3")),
    ],
)
def test_versions(tmp_path: Path, keys: str, versions: tuple[str | None, str | None]) -> None:
    with running(web_config=web_config(tmp_path, TLS + keys)) as site:
        for version, expected in zip((ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3), versions, strict=True):
            client = client_context(tmp_path)
            client.minimum_version = client.maximum_version = version
            if expected is None:
                with pytest.raises(ssl.SSLError):
                    site.connect(client)
            else:
                with site.connect(client) as sock:
                    assert isinstance(sock, ssl.SSLSocket)
                    assert sock.version() == expected


def test_cipher_suites_in_the_servers_order(tmp_path: Path) -> None:
    suites = "  cipher_suites: [TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA, TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256]\n"
    client = client_context(tmp_path)
    client.maximum_version = ssl.TLSVersion.TLSv1_2
    for order, chosen in (("true", "ECDHE-ECDSA-AES256-SHA"), ("false", "ECDHE-ECDSA-AES128-GCM-SHA256")):
        client.set_ciphers("ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-SHA")
        config = web_config(tmp_path, TLS + suites + f"  prefer_server_cipher_suites: {order}\n")
        with running(web_config=config) as site, site.connect(client) as sock:
            assert isinstance(sock, ssl.SSLSocket)
            assert (sock.cipher() or ("", "", 0))[0] == chosen


def test_curves_are_restricted(tmp_path: Path) -> None:
    config = web_config(tmp_path, TLS + "  curve_preferences: [CurveP384]\n")
    with running(web_config=config) as site:
        client = client_context(tmp_path)
        client.set_ecdh_curve("prime256v1")
        with pytest.raises(ssl.SSLError):
            site.connect(client)
        client.set_ecdh_curve("secp384r1")
        assert site.get(tls=client)[0] == 200


def test_client_certificate_of_the_authority_is_demanded(tmp_path: Path) -> None:
    with running(web_config=web_config(tmp_path, MUTUAL)) as site:
        assert site.get(tls=client_context(tmp_path, client_pair()))[0] == 200
        stranger = Pair("stranger")
        for client in (client_context(tmp_path), client_context(tmp_path, Pair("other", stranger))):
            with pytest.raises((ssl.SSLError, ConnectionResetError)):  # TLS 1.3 tells with the first read
                site.get(tls=client)
        site.until(lambda: site.server.dropped["handshake"] == 2)


def test_client_certificate_if_given(tmp_path: Path) -> None:
    text = MUTUAL.replace("RequireAndVerifyClientCert", "VerifyClientCertIfGiven")
    with running(web_config=web_config(tmp_path, text)) as site:
        assert site.get(tls=client_context(tmp_path))[0] == 200
        with pytest.raises((ssl.SSLError, ConnectionResetError)):
            site.get(tls=client_context(tmp_path, Pair("other", Pair("stranger"))))


@pytest.mark.parametrize("san", ["scraper.example", "ops@example.org", "2001:DB8:0::1", "spiffe://cluster/scraper"])
def test_client_with_an_allowed_name(tmp_path: Path, san: str) -> None:
    config = web_config(tmp_path, MUTUAL + f"  client_allowed_sans: [other, '{san}']\n")
    with running(web_config=config) as site:
        assert site.get(tls=client_context(tmp_path, client_pair()))[0] == 200


def test_client_without_an_allowed_name(tmp_path: Path) -> None:
    config = web_config(tmp_path, MUTUAL + "  client_allowed_sans: [scraper, '2001:db8::2']\n")
    with running(web_config=config) as site:
        with pytest.raises((ssl.SSLError, ConnectionResetError, ConnectionError)):
            site.get(tls=client_context(tmp_path, client_pair()))
        site.until(lambda: site.server.dropped["handshake"] == 1)


def test_names_of_a_certificate() -> None:
    certificate = {"subjectAltName": (("DNS", "a"), ("IP Address", "<invalid>"), ("othername", "b"))}
    assert client_is_allowed(certificate, frozenset({"a"}))
    assert not client_is_allowed(certificate, frozenset({"b", "no address"}))
    assert not client_is_allowed(certificate, frozenset())
    assert not client_is_allowed(None, frozenset({"a"}))


# rotation


def serial_at(port: int) -> int:
    from cryptography import x509

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with socket.create_connection(("127.0.0.1", port), timeout=SECONDS) as sock, context.wrap_socket(sock) as tls:
        return x509.load_der_x509_certificate(tls.getpeercert(binary_form=True) or b"").serial_number


def test_rotated_certificate_serves_the_next_connection(tmp_path: Path) -> None:
    with running(web_config=web_config(tmp_path)) as site:
        for _ in range(3):
            pair = server_pair()
            pair.write(tmp_path, "server")
            assert serial_at(site.port) == pair.serial


def test_rotation_as_kubernetes_does_it(tmp_path: Path) -> None:
    """A secret volume: files are links through `..data`, which is replaced by rename."""
    first, second = server_pair(), server_pair()
    for name, pair in (("..1", first), ("..2", second)):
        (tmp_path / name).mkdir()
        pair.write(tmp_path / name, "server")
    (tmp_path / "..data").symlink_to("..1")
    for name in ("server.crt", "server.key"):
        (tmp_path / name).symlink_to(f"..data/{name}")
    (tmp_path / "web.yml").write_text(TLS)
    with running(web_config=WebConfigFile(str(tmp_path / "web.yml"))) as site:
        assert serial_at(site.port) == first.serial
        (tmp_path / "..new").symlink_to("..2")
        (tmp_path / "..new").rename(tmp_path / "..data")
        assert serial_at(site.port) == second.serial


def test_half_a_rotation_keeps_the_old_certificate_and_says_so_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    config = web_config(tmp_path)
    with running(web_config=config) as site:
        before, new = serial_at(site.port), server_pair()
        (tmp_path / "server.crt").write_text(new.cert_pem)
        for _ in range(3):
            assert serial_at(site.port) == before
        errors = [record.getMessage() for record in caplog.records if record.levelno == logging.ERROR]
        assert len(errors) == 1
        assert "web.yml:2: tls_server_config.cert_file: certificate and private key cannot be used" in errors[0]
        (tmp_path / "server.key").write_text(new.key_pem())
        assert serial_at(site.port) == new.serial


def test_tls_turned_on_while_running_ends_plain_connections(tmp_path: Path) -> None:
    server_pair().write(tmp_path, "server")
    (tmp_path / "web.yml").write_text("")
    with running(web_config=WebConfigFile(str(tmp_path / "web.yml"))) as site, site.connect() as sock:
        assert ask(sock)[0] == 200
        (tmp_path / "web.yml").write_text(TLS)
        sock.sendall(b"GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert is_closed_by_peer(sock)
        assert site.get(tls=client_context(tmp_path))[0] == 200
        assert site.server.dropped == {"reconfigured": 1}


STRICTER = {
    "a certificate is demanded": (TLS, MUTUAL),
    "other names are allowed": (MUTUAL, MUTUAL + "  client_allowed_sans: [other.example]\n"),
    "another authority": (MUTUAL, MUTUAL.replace("ca.crt", "other.crt")),
    "one that was optional is demanded": (
        MUTUAL.replace("RequireAndVerifyClientCert", "VerifyClientCertIfGiven"),
        MUTUAL,
    ),
}


@pytest.mark.parametrize(("before", "after"), STRICTER.values(), ids=STRICTER)
def test_kept_connections_end_when_clients_are_chosen_more_strictly(tmp_path: Path, before: str, after: str) -> None:
    (tmp_path / "other.crt").write_text(Pair("other").cert_pem)
    config, client = web_config(tmp_path, before), client_context(tmp_path, client_pair())
    with running(web_config=config) as site, site.connect(client) as sock:
        assert ask(sock)[0] == 200
        (tmp_path / "web.yml").write_text(after)
        sock.sendall(b"GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n")
        with contextlib.suppress(ssl.SSLEOFError):
            assert sock.recv(1) == b""
        assert site.server.dropped == {"reconfigured": 1}


def test_kept_connections_outlive_what_does_not_concern_them(tmp_path: Path) -> None:
    config, client = web_config(tmp_path, MUTUAL), client_context(tmp_path, client_pair())
    with running(web_config=config) as site, site.connect(client) as sock:
        for more in ("", "  client_allowed_sans: [scraper.example]\n", "  client_allowed_sans: [a, ops@example.org]\n"):
            server_pair().write(tmp_path, "server")
            (tmp_path / "web.yml").write_text(MUTUAL + more)
            assert ask(sock)[0] == 200
