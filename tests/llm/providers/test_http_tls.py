"""TLS to a server whose certificate the environment trusts."""

import asyncio
import shutil
import socket
import ssl
import subprocess
from pathlib import Path
from typing import Any

import pytest

from spotui.llm.providers.http import HttpPool
from tests.llm.providers.asking import an_endpoint
from tests.llm.providers.raw_server import a_raw_server, read_request

NAMES = ("localhost", "xn--bcher-kva.localhost")


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate that nobody has signed, with its key."""
    if shutil.which("openssl") is None:
        pytest.skip("needs openssl to make a certificate")
    folder = tmp_path_factory.mktemp("tls")
    words = [
        "openssl",
        "req",
        "-x509",
        "-newkey",
        "rsa:2048",
        "-nodes",
        "-days",
        "2",
        "-subj",
        "/CN=localhost",
    ]
    words += ["-addext", "subjectAltName=" + ",".join(f"DNS:{name}" for name in NAMES)]
    words += ["-keyout", str(folder / "key.pem"), "-out", str(folder / "cert.pem")]
    subprocess.run(words, check=True, capture_output=True)
    both = folder / "both.pem"
    both.write_text((folder / "key.pem").read_text() + (folder / "cert.pem").read_text())
    return both


@pytest.mark.parametrize("host", ["localhost", "bücher.localhost"])
def test_tls_is_spoken_and_its_connection_kept(
    certificate: Path, monkeypatch: pytest.MonkeyPatch, host: str
) -> None:
    body = b"x" * 3_000_000
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(certificate)
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    monkeypatch.delenv("SSL_CERT_DIR", raising=False)
    look_up = socket.getaddrinfo

    def at_home(name: Any, *rest: Any, **more: Any) -> Any:
        assert name in (*NAMES, "127.0.0.1")
        return look_up("127.0.0.1", *rest, **more)

    monkeypatch.setattr(socket, "getaddrinfo", at_home)

    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for _ in range(2):
            received = await read_request(reader)
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(received) + received)
            await writer.drain()
        await reader.read()

    async def main() -> int:
        async with a_raw_server(echo, tls) as serving:
            pool = HttpPool(an_endpoint(f"https://{host}:{serving.port}/v1"))
            for _ in range(2):
                async with pool.send("POST", "/chat/completions", body) as response:
                    assert await response.aread() == body
            await pool.aclose()
            return serving.connections

    assert asyncio.run(main()) == 1
