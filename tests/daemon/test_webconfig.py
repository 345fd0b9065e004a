"""The web configuration file: what is taken, what is refused and with which words, and whether promtool agrees.

`promtool check web-config` is the judge where it is installed. Where we differ from it on purpose, the case says why.
"""

from __future__ import annotations

import logging
import os
import re
import shutil
import ssl
import subprocess
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hostagent.daemon import webconfig_text
from hostagent.daemon.webconfig import WebConfigError, WebConfigFile, parse
from tests.daemon.http_certificates import Pair, authority, server_pair

PROMTOOL = shutil.which("promtool")

HASH = "$2y$10$X0h1gDsPszWURQaxFh.zoubFi6DXncSjhoQNJgRrnGs7EsimhC7zG"  # of the exporter-toolkit's document

TLS = "tls_server_config:\n  cert_file: server.crt\n  key_file: server.key\n"
CA = "  client_ca_file: ca.crt\n"

GOOD = {
    "empty": "",
    "null": "~\n",
    "comment": "# nothing\n",
    "tls": TLS,
    "tls, subdirectory": TLS.replace("server.", "sub/server."),
    "empty sections": "tls_server_config:\nhttp_server_config:\nbasic_auth_users:\n",
    "no client certificate": TLS + "  client_auth_type: NoClientCert\n",
    "client certificate": TLS + "  client_auth_type: RequireAndVerifyClientCert\n" + CA,
    "client certificate if given": TLS + "  client_auth_type: VerifyClientCertIfGiven\n" + CA,
    "request": TLS + "  client_auth_type: RequestClientCert\n",
    "system authorities": TLS + "  client_auth_type: RequireAndVerifyClientCert\n",
    "versions": TLS + "  min_version: TLS12\n  max_version: TLS13\n",
    "obsolete minimum": TLS + "  min_version: TLS10\n",
    "ciphers": TLS + "  cipher_suites:\n  - TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256\n  - TLS_AES_256_GCM_SHA384\n",
    "curves": TLS + "  curve_preferences: [X25519, CurveP256, CurveP384, CurveP521]\n",
    "curve, no P-256": TLS + "  curve_preferences: [X25519, CurveP384]\n",
    "order": TLS + "  prefer_server_cipher_suites: no\n",
    "http2": "http_server_config: {http2: true}\n",
    "no http2": TLS + "http_server_config: {http2: false}\n",
    "headers": "http_server_config:\n  headers:\n    X-Frame-Options: sameorigin\n    X-XSS-Protection: 1; mode=block\n",
    "users": f"basic_auth_users:\n  alice: {HASH}\n  2: {HASH.replace('2y', '2b')}\n",
    "anchors": f"basic_auth_users:\n  alice: &same {HASH}\n  bob: *same\n",
    "only a version": "tls_server_config:\n  min_version: TLS13\n",
    "document mark": "---\n" + TLS,
}

BAD: dict[str, tuple[str | bytes, str]] = {
    "deep": ("[" * 3000, "1: nested deeper than 16"),
    "an endless interval": (
        "rate_limit: {interval: " + "9" * 400 + "s}",
        "1: rate_limit.interval: longer than Go's longest duration, 292 years",
    ),
    "an endless burst": (
        "rate_limit: {burst: " + "9" * 400 + "}",
        "1: rate_limit.burst: Input should be less than or equal to 9223372036854775807",
    ),
    "not yaml": ("a: [1\n", "2: not YAML: expected ',' or ']', but got '<stream end>'"),
    "not utf-8": (b"# \xff\n", "1: not UTF-8"),
    "a tab": ("a:\n\tb\n", "2: not YAML: found character '\\t' that cannot start any token"),
    "control character": (
        "a: \x00\n",
        "1: not YAML: unacceptable character #x0000: special characters are not allowed",
    ),
    "list": ("- a\n", "1: keys and values expected"),
    "text": ("nonsense\n", "1: keys and values expected"),
    "unknown section": ("tls_config: {}\n", "1: tls_config: unknown key"),
    "unknown key": (TLS + "  cert_flie: x\n", "4: tls_server_config.cert_flie: unknown key"),
    "given twice": (TLS + "  cert_file: x\n", "4: cert_file: given twice"),
    "key of keys": ("? [a]\n: b\n", "1: a key must be plain text"),
    "section is a list": ("tls_server_config: [a]\n", "1: tls_server_config: keys and values expected"),
    "cert is a list": (
        "tls_server_config:\n  key_file: a\n  cert_file:\n  - b\n",
        "3: tls_server_config.cert_file: Input should be a valid string",
    ),
    "no key": (
        "tls_server_config:\n  cert_file: server.crt\n",
        "1: tls_server_config.key_file: TLS needs key or key_file",
    ),
    "no cert": (
        "tls_server_config:\n  key_file: server.key\n",
        "1: tls_server_config.cert_file: TLS needs cert or cert_file",
    ),
    "missing file": (
        TLS.replace("server.crt", "gone.crt"),
        "2: tls_server_config.cert_file: {directory}/gone.crt: No such file or directory",
    ),
    "directory": (
        TLS.replace("server.crt", "sub"),
        "2: tls_server_config.cert_file: {directory}/sub: Is a directory",
    ),
    "another's key": (
        TLS.replace("server.key", "other.key"),
        "2: tls_server_config.cert_file: certificate and private key cannot be used: key values mismatch",
    ),
    "no certificate": (
        TLS.replace("server.crt", "web.yml"),
        "2: tls_server_config.cert_file: certificate and private key cannot be used: not PEM, or damaged",
    ),
    "encrypted key": (
        TLS.replace("server.key", "locked.key"),
        "3: tls_server_config.key_file: the private key is encrypted; there is nobody to ask for its passphrase",
    ),
    "unknown client policy": (
        TLS + "  client_auth_type: Maybe\n",
        (
            "4: tls_server_config.client_auth_type: Input should be '', 'NoClientCert', 'RequestClientCert', "
            "'RequireClientCert', 'RequireAnyClientCert', 'VerifyClientCertIfGiven' or 'RequireAndVerifyClientCert'"
        ),
    ),
    "authority without policy": (
        TLS + CA,
        "4: tls_server_config.client_ca_file: client authorities are given, but client_auth_type asks for no certificate",
    ),
    "missing authority": (
        TLS + "  client_auth_type: RequireAndVerifyClientCert\n  client_ca_file: gone\n",
        "5: tls_server_config.client_ca_file: {directory}/gone: No such file or directory",
    ),
    "unknown version": (
        TLS + "  min_version: TLS14\n",
        "4: tls_server_config.min_version: Input should be 'TLS10', 'TLS11', 'TLS12' or 'TLS13'",
    ),
    "unknown cipher": (
        TLS + "  cipher_suites:\n  - TLS_AES_128_GCM_SHA256\n  - AES128-SHA\n",
        "6: tls_server_config.cipher_suites.1: unknown cipher suite AES128-SHA",
    ),
    "unknown curve": (
        TLS + "  curve_preferences: [P256]\n",
        "4: tls_server_config.curve_preferences.0: Input should be 'CurveP256', 'CurveP384', 'CurveP521' or 'X25519'",
    ),
    "no boolean": (
        "http_server_config:\n  http2: perhaps\n",
        "2: http_server_config.http2: Input should be a valid boolean, unable to interpret input",
    ),
    "foreign header": (
        "http_server_config:\n  headers:\n    X-Powered-By: us\n",
        "3: http_server_config.headers.X-Powered-By: unknown key",
    ),
    "header value": (
        "http_server_config:\n  headers:\n    X-Frame-Options: maybe\n",
        "3: http_server_config.headers.X-Frame-Options: Input should be 'deny', 'sameorigin' or ''",
    ),
    "password in clear": (
        "basic_auth_users:\n  alice: secret\n",
        "2: basic_auth_users.alice: not a bcrypt hash (htpasswd -nBC 10 '' makes one)",
    ),
    "no password": (
        "basic_auth_users:\n  alice:\n",
        "2: basic_auth_users.alice: Input should be a valid string",
    ),
}

# promtool, or the version of it that is installed, says otherwise; the reason stands beside
STRICTER_BAD: dict[str, tuple[str | bytes, str]] = {
    # nothing a path or a name can hold
    "a NUL": (
        'tls_server_config: {cert_file: "\\0", key_file: b}',
        "1: a NUL or half a character (\\ud800 to \\udfff)",
    ),
    "half a character": (
        'basic_auth_users:\n  "\\ud800": ' + HASH,
        "2: a NUL or half a character (\\ud800 to \\udfff)",
    ),
    # takes any self-made certificate: Python's ssl cannot, and nobody should rely on it
    "any client certificate": (
        TLS + "  client_auth_type: RequireAnyClientCert\n",
        (
            "4: tls_server_config.client_auth_type: RequireAnyClientCert would take any self-made certificate; "
            "RequireAndVerifyClientCert is what verifies"
        ),
    ),
    # OpenSSL no longer speaks them
    "obsolete maximum": (
        TLS + "  min_version: TLS10\n  max_version: TLS11\n",
        "5: tls_server_config.max_version: TLS11 is obsolete (RFC 8996); TLS12 and TLS13 are spoken",
    ),
    # no client could connect
    "versions crossed": (
        TLS + "  min_version: TLS13\n  max_version: TLS12\n",
        "4: tls_server_config.min_version: above max_version",
    ),
    "no suite for the version": (
        TLS + "  max_version: TLS12\n  cipher_suites: [TLS_AES_128_GCM_SHA256]\n",
        "5: tls_server_config.cipher_suites: no suite for TLS12, which max_version demands",
    ),
    # Go passes over what is no certificate and then trusts nobody
    "authority that is none": (
        TLS + "  client_auth_type: RequireAndVerifyClientCert\n  client_ca_file: web.yml\n",
        "5: tls_server_config.client_ca_file: no certificate of an authority is in it",
    ),
    # Go cuts the answer there
    "header of two lines": (
        'http_server_config:\n  headers:\n    Content-Security-Policy: "a\\nb"\n',
        "3: http_server_config.headers.Content-Security-Policy: a header value is one line of printable ASCII",
    ),
    # a hash nothing can match
    "cut hash": (
        f"basic_auth_users:\n  alice: {HASH[:59]}\n",
        "2: basic_auth_users.alice: not a bcrypt hash (htpasswd -nBC 10 '' makes one)",
    ),
    # keys newer than promtool 2.42
    "inline and file": (
        TLS + "  cert: x\n",
        "4: tls_server_config.cert: cert and cert_file are both given",
    ),
    "names without demand": (
        TLS + "  client_allowed_sans: [a]\n",
        "4: tls_server_config.client_allowed_sans: needs client_auth_type RequireAndVerifyClientCert",
    ),
    "no duration": (
        "rate_limit:\n  interval: soon\n",
        "2: rate_limit.interval: not a duration like 100ms or 1m30s",
    ),
    "no unit": (
        "rate_limit:\n  interval: 1.5\n",
        "2: rate_limit.interval: not a duration like 100ms or 1m30s",
    ),
    "no burst": (
        "rate_limit:\n  interval: 1s\n",
        "1: rate_limit.burst: must be at least 1, or every request is refused",
    ),
    "negative burst": (
        "rate_limit:\n  burst: -1\n",
        "2: rate_limit.burst: Input should be greater than or equal to 0",
    ),
    "deep": ("a: " + "[" * 20 + "]" * 20 + "\n", "1: nested deeper than 16"),
}


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    pair = server_pair()
    pair.write(tmp_path, "server")
    (tmp_path / "sub").mkdir()
    pair.write(tmp_path / "sub", "server")
    (tmp_path / "other.key").write_text(Pair("other").key_pem())
    (tmp_path / "locked.key").write_text(pair.key_pem(b"passphrase"))
    (tmp_path / "ca.crt").write_text(authority().cert_pem)
    return tmp_path


def write(directory: Path, text: str | bytes) -> Path:
    path = directory / "web.yml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


@pytest.mark.parametrize("text", GOOD.values(), ids=GOOD)
def test_good(directory: Path, text: str) -> None:
    WebConfigFile(str(write(directory, text)))


@pytest.mark.parametrize(("text", "message"), (BAD | STRICTER_BAD).values(), ids=BAD | STRICTER_BAD)
def test_bad_and_what_is_said(directory: Path, text: str | bytes, message: str) -> None:
    path = write(directory, text)
    with pytest.raises(WebConfigError) as caught:
        WebConfigFile(str(path))
    assert str(caught.value) == f"{path}:{message.format(directory=directory)}"


@pytest.mark.skipif(PROMTOOL is None, reason="promtool is not installed")
def test_promtool_agrees(directory: Path) -> None:
    """On all in one start: it is a large program."""
    said: dict[str, list[str | bytes]] = {
        "SUCCESS": list(GOOD.values()),
        "FAILED": [text for text, _ in BAD.values()],
    }
    expected = {}
    for verdict, texts in said.items():
        for number, text in enumerate(texts):
            path = directory / f"{verdict}{number}.yml"
            write(directory, text).rename(path)
            expected[path.name] = (verdict, text)
    done = subprocess.run(
        [str(PROMTOOL), "check", "web-config", *expected], cwd=directory, capture_output=True, text=True, check=False
    )
    verdicts = dict(re.findall(r"^(\w+\.yml) (SUCCESS|FAILED)", done.stdout + done.stderr, re.MULTILINE))
    assert {name: (verdicts.get(name), text) for name, (_, text) in expected.items()} == expected


def test_the_file_itself_is_missing(tmp_path: Path) -> None:
    with pytest.raises(WebConfigError, match=r"gone\.yml: No such file or directory"):
        WebConfigFile(str(tmp_path / "gone.yml"))


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "web.yml")
    with pytest.raises(WebConfigError, match="not a regular file"):
        WebConfigFile(str(tmp_path / "web.yml"))


def test_a_huge_file_is_not_read(tmp_path: Path) -> None:
    with pytest.raises(WebConfigError, match="larger than 1048576 bytes"):
        WebConfigFile(str(write(tmp_path, "#" * (1 << 20) + "\n")))


def test_inline_certificate(tmp_path: Path) -> None:
    pair = server_pair()

    def block(name: str, pem: str) -> str:
        return f"  {name}: |\n" + "".join(f"    {line}\n" for line in pem.splitlines())

    text = "tls_server_config:\n" + block("cert", pair.cert_pem) + block("key", pair.key_pem())
    assert WebConfigFile(str(write(tmp_path, text))).current().tls is not None
    mutual = text + "  client_auth_type: RequireAndVerifyClientCert\n" + block("client_ca", authority().cert_pem)
    context = WebConfigFile(str(write(tmp_path, mutual))).current().tls
    assert context is not None
    assert context.verify_mode == ssl.CERT_REQUIRED
    assert len(context.get_ca_certs()) == 1
    with pytest.raises(WebConfigError, match=r"web\.yml:2: tls_server_config\.cert: certificate and private key"):
        WebConfigFile(str(write(tmp_path, text.replace("BEGIN CERT", "BEGIN SERT"))))


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("1s", 1.0),
        ("100ms", 0.1),
        ("1m30s", 90.0),
        ("1.5h", 5400.0),
        (".5s", 0.5),
        ("2µs", 2e-6),
        ("3us4ns", 3.004e-6),
        ("0", 0.0),
        ("1000000000", 1.0),
    ],
)
def test_durations_as_go_reads_them(text: str, seconds: float) -> None:
    config = parse(f"rate_limit: {{interval: {text}, burst: 1}}\n".encode(), "web.yml")
    assert config.rate_limit.interval == pytest.approx(seconds)


def test_secrets_are_not_printed() -> None:
    config = parse(f"tls_server_config: {{cert: a, key: sesame}}\nbasic_auth_users: {{bob: {HASH}}}\n".encode(), "")
    assert "sesame" not in repr(config)
    assert HASH not in repr(config)


NOTES = {
    "http2": "http_server_config.http2 has no effect: HTTP/1.1 is spoken",
    "request": "client_auth_type RequestClientCert verifies nothing: no client certificate is asked for",
    "system authorities": "no client_ca_file: client certificates of any authority this system trusts are accepted",
    "obsolete minimum": "min_version TLS10 is raised to TLS12 (RFC 8996)",
    "curves": "of curve_preferences only CurveP256 is used: Python's ssl can set one",
    "curve, no P-256": "of curve_preferences only X25519 is used: Python's ssl can set one",
}


@pytest.mark.parametrize(("name", "note"), NOTES.items())
def test_what_is_taken_but_done_otherwise_is_logged(
    directory: Path, caplog: pytest.LogCaptureFixture, name: str, note: str
) -> None:
    path = write(directory, GOOD[name])
    WebConfigFile(str(path))
    assert caplog.messages == [f"{path}: {note}"]


# reading again


def errors(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.levelno >= logging.ERROR]


def test_unchanged_file_is_the_same_object_and_not_read(directory: Path) -> None:
    web = WebConfigFile(str(write(directory, TLS)))
    first = web.current()
    time.sleep(0.06)
    assert web.current() is first  # the second look, one clock tick later
    os.utime(directory / "server.crt")
    assert web.current() is first
    (directory / "other.key").unlink()
    began = time.perf_counter()
    for _ in range(200):
        assert web.current() is first
    assert time.perf_counter() - began < 0.2


def test_second_write_within_a_clock_tick(directory: Path) -> None:
    """Same size, same inode and, forced here, the same times: found by the second look."""
    one = "http_server_config: {headers: {X-XSS-Protection: '0'}}\n"
    path = write(directory, one)
    stamp = path.stat()
    web = WebConfigFile(str(path))
    path.write_text(one.replace("'0'", "'1'"))
    os.utime(path, ns=(stamp.st_atime_ns, stamp.st_mtime_ns))
    web.current()
    time.sleep(0.06)
    assert web.current().headers == (("X-XSS-Protection", "1"),)


def test_broken_file_keeps_the_old_one_and_says_so_once(directory: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = write(directory, TLS)
    web = WebConfigFile(str(path))
    good = web.current()
    write(directory, "tls_server_config: {cart: x}\n")
    for _ in range(3):
        assert web.current() is good
        time.sleep(0.03)
    message = f"{path}:1: tls_server_config.cart: unknown key; the old web configuration stays"
    assert errors(caplog) == [message]
    path.unlink()
    assert web.current() is good
    assert errors(caplog) == [message, f"{path}: No such file or directory; the old web configuration stays"]
    write(directory, TLS)
    assert web.current() is good  # the very bytes that are in force
    write(directory, "tls_server_config: {cart: x}\n")
    assert web.current() is good
    assert errors(caplog)[2:] == [message]  # a new mistake, though the words are known
    write(directory, TLS + "  min_version: TLS13\n")
    renewed = web.current().tls
    assert renewed is not None
    assert renewed.minimum_version == ssl.TLSVersion.TLSv1_3


MUTUAL = TLS + "  client_auth_type: RequireAndVerifyClientCert\n" + CA


@pytest.mark.parametrize(
    ("old", "new", "what"),
    [
        (TLS, "", "TLS"),
        (MUTUAL, TLS, "the check of client certificates"),
        (
            MUTUAL,
            MUTUAL.replace("RequireAndVerifyClientCert", "VerifyClientCertIfGiven"),
            "the check of client certificates",
        ),
        (MUTUAL + "  client_allowed_sans: [a]\n", MUTUAL, "client_allowed_sans"),
        (f"basic_auth_users: {{a: {HASH}}}\n", "basic_auth_users:\n", "all passwords"),
    ],
)
def test_protection_is_not_taken_away_while_running(
    directory: Path, caplog: pytest.LogCaptureFixture, old: str, new: str, what: str
) -> None:
    path = write(directory, old)
    web = WebConfigFile(str(path))
    before = web.current()
    write(directory, new)
    assert web.current() is before
    expected = f"{path}: would take away {what}: restart to do that; the old web configuration stays"
    assert errors(caplog) == [expected]


def test_user_removed_while_running(directory: Path) -> None:
    web = WebConfigFile(str(write(directory, f"basic_auth_users: {{a: {HASH}, b: {HASH}}}\n")))
    write(directory, f"basic_auth_users: {{a: {HASH}}}\n")
    assert web.current().users == {b"a": HASH.encode()}


def test_authority_replaced_while_running(directory: Path) -> None:
    web = WebConfigFile(str(write(directory, MUTUAL)))
    old = web.current().tls
    (directory / "ca.crt").write_text(Pair("successor").cert_pem)
    new = web.current().tls
    assert old is not None
    assert new is not None
    names = [certificate["subject"] for context in (old, new) for certificate in context.get_ca_certs()]
    assert names == [((("commonName", "authority"),),), ((("commonName", "successor"),),)]


@given(st.binary(max_size=60) | st.text(alphabet="abc:[]{}&*!|>-'\"\n \t#%@?,~0", max_size=60).map(str.encode))
def test_any_text_is_taken_or_refused_with_a_line(text: bytes) -> None:
    said = ""
    try:
        parse(text, "web.yml")
    except WebConfigError as error:
        said = str(error)
    assert said == "" or re.match(r"web\.yml:[1-9][0-9]*: .", said)


def test_lines_of_keys() -> None:
    text = webconfig_text.read(b"a:\n  b: 1\n\n  c:\n  - x\n  - y\n")
    assert text.data == {"a": {"b": "1", "c": ["x", "y"]}}
    assert text.line(("a", "c", 1)) == 6
    assert text.line(("a", "c", "nowhere", "at", "all")) == 4
    assert text.line(("z",)) == 1


def test_a_loop_of_anchors_ends() -> None:
    with pytest.raises(webconfig_text.TextError, match="nested deeper"):
        webconfig_text.read(b"&a [*a]\n")


def test_aliases_of_aliases_end() -> None:
    rows = [b"a: &a [1,1,1,1,1,1,1,1,1,1]"]
    rows += [b"%c: &%c [%s]" % (98 + row, 98 + row, b",".join([b"*%c" % (97 + row)] * 10)) for row in range(9)]
    with pytest.raises(WebConfigError, match="more than 10000 values"):
        parse(b"\n".join(rows), "web.yml")


def test_a_fault_of_ours_keeps_the_old_one_too(directory: Path, caplog: pytest.LogCaptureFixture) -> None:
    (directory / "web.yml").write_text(TLS)
    web = WebConfigFile(str(directory / "web.yml"))
    web._loaded = None  # type: ignore[assignment]
    for _ in range(2):
        web._reload()
    errors = [record for record in caplog.records if record.levelname == "ERROR"]
    assert len(errors) == 1
    assert errors[0].exc_info is not None
    assert errors[0].message.endswith("; the old web configuration stays")
