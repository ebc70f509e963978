"""Certificates and proxies."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from pathlib import Path
from typing import Any, ClassVar

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from orders_obs.dashboards.publishing.client import Client
from orders_obs.errors import UserError
from tests.dashboards.grafana_server.server import TOKEN, Fault, Grafana
from tests.dashboards.publishing.site import Site

Capture = pytest.CaptureFixture[str]


@pytest.fixture
def certificate(tmp_path: Path) -> tuple[Path, Path]:
    """A certificate of 127.0.0.1 that signs itself, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "grafana")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    paths = tmp_path / "ca.pem", tmp_path / "key.pem"
    paths[0].write_bytes(made.public_bytes(serialization.Encoding.PEM))
    paths[1].write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    return paths


def test_a_certificate_of_ones_own_is_trusted_where_the_settings_name_it(
    tmp_path: Path, certificate: tuple[Path, Path], capsys: Capture
) -> None:
    with Grafana(13) as grafana:
        grafana.secure(*certificate)
        site = Site(tmp_path / "d", grafana.url)
        site.dashboard()
        assert site("publish") == 3
        assert "its certificate is not trusted" in capsys.readouterr().err
        assert grafana.requests == []
        site.settings(f"    url: {grafana.url}\n    ca: ../ca.pem\n")
        assert site("publish") == 0


def test_a_file_that_holds_no_certificates_is_wrong_input(tmp_path: Path) -> None:
    wrong = tmp_path / "ca.pem"
    wrong.write_text("none")
    with pytest.raises(UserError, match="is no file of certificates"):
        Client("https://grafana.example.com", TOKEN, ca=wrong)


class _Proxy(BaseHTTPRequestHandler):
    """Writes down what it gets, and refuses."""

    seen: ClassVar[list[tuple[str, str, str]]] = []

    def do_GET(self) -> None:
        self.seen.append((self.command, self.path, str(self.headers)))
        self.send_response(403)
        self.send_header("Content-Length", "0")
        self.end_headers()

    do_POST = do_CONNECT = do_GET  # noqa: N815  # http.server's names

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def proxy(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[tuple[str, str, str]]]:
    """What a proxy that the environment names is sent."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Proxy)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    for name in ("http_proxy", "https_proxy"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{server.server_address[1]}")
    _Proxy.seen.clear()
    yield _Proxy.seen
    server.shutdown()
    server.server_close()
    thread.join()


def test_a_proxy_of_the_environment_is_used_and_never_sees_the_token(
    tmp_path: Path, proxy: list[tuple[str, str, str]]
) -> None:
    site = Site(tmp_path / "d", "https://grafana.invalid")
    site.dashboard()
    assert site("publish") == 3
    assert {(method, path) for method, path, _ in proxy} == {("CONNECT", "grafana.invalid:443")}
    assert TOKEN not in str(proxy)


def test_no_proxy_gets_what_is_sent_to_this_machine(
    tmp_path: Path, proxy: list[tuple[str, str, str]], certificate: tuple[Path, Path]
) -> None:
    for secure in (False, True):
        with Grafana(13) as grafana:
            if secure:
                grafana.secure(*certificate)
            site = Site(tmp_path / f"d{secure}", grafana.url, more="    ca: ../ca.pem\n")
            site.dashboard()
            assert site("publish") == 0
    assert proxy == []


def test_no_proxy_gets_a_token_that_it_could_read(tmp_path: Path, proxy: list[tuple[str, str, str]]) -> None:
    site = Site(tmp_path / "d", "http://grafana.invalid", more="    allow_http: true\n")
    site.dashboard()
    assert site("publish") == 3
    assert proxy == []


def test_nothing_is_sent_after_a_redirect_to_another_host(tmp_path: Path, capsys: Capture) -> None:
    with Grafana(13) as grafana, Grafana(13) as other:
        grafana.faults = [Fault("redirect", headers=(("Location", f"{other.url}/login"),))]
        site = Site(tmp_path / "d", grafana.url)
        site.dashboard()
        assert site("publish") == 3
        assert "sends elsewhere (302" in capsys.readouterr().err
        assert other.requests == []
