"""A proxy that the environment names is asked, and its login is told to nobody else."""

import asyncio
from base64 import b64encode

import pytest

from spotui.llm.protocol import ModelError, UnavailableError
from spotui.llm.providers.base_url import BaseUrl, is_exempt
from spotui.llm.providers.http import HttpPool
from tests.llm.providers.asking import an_endpoint
from tests.llm.providers.raw_server import a_raw_server

LOGIN = "ann:hidden-word"


@pytest.fixture(autouse=True)
def _no_exceptions(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)


def ask_through(
    monkeypatch: pytest.MonkeyPatch, url: str, answer: bytes | None, *, timeout: float = 5.0
) -> tuple[list[bytes], ModelError | bytes]:
    """Ask by a proxy with this one answer: the heads it was sent, and what came of it."""
    heads: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heads.append(await reader.readuntil(b"\r\n\r\n"))
        if answer is not None:
            writer.write(answer)
        await reader.read()

    async def main() -> ModelError | bytes:
        async with a_raw_server(serve) as proxy:
            for name in ("http_proxy", "https_proxy"):
                monkeypatch.setenv(name, f"http://{LOGIN}@127.0.0.1:{proxy.port}")
            pool = HttpPool(an_endpoint(url, timeout=timeout))
            try:
                async with pool.send("GET", "/models") as response:
                    return await response.aread()
            except ModelError as error:
                return error
            finally:
                await pool.aclose()

    return heads, asyncio.run(main())


def test_plain_http_is_carried_with_the_proxy_s_login(monkeypatch: pytest.MonkeyPatch) -> None:
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
    [head], said = ask_through(monkeypatch, "http://models.example/v1", answer)
    assert said == b"ok"
    assert head.startswith(b"GET http://models.example/v1/models HTTP/1.1\r\n")
    assert b"Proxy-Authorization: Basic " + b64encode(LOGIN.encode()) in head


def test_a_tunnel_that_is_refused_is_the_proxy_s_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    answer = b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n"
    heads, error = ask_through(monkeypatch, "https://models.example/v1?token=0123456789", answer)
    assert heads[0].startswith(b"CONNECT models.example:443 HTTP/1.1\r\n")
    assert isinstance(error, UnavailableError)
    assert "The proxy on the way to test-model at https://models.example/v1 failed: HTTP 407" in error.what
    assert "HTTPS_PROXY" in error.hint
    shown = f"{error} {error.hint}"
    assert not any(word in shown for word in ("hidden", "0123456789", b64encode(LOGIN.encode()).decode()))


def test_a_tunnel_that_is_never_there_is_waited_for_only_so_long(monkeypatch: pytest.MonkeyPatch) -> None:
    _, error = ask_through(monkeypatch, "https://models.example/v1", None, timeout=0.2)
    assert isinstance(error, UnavailableError)
    assert "took no connection for 0.2 seconds" in error.what


def test_a_tunnel_to_something_without_tls(monkeypatch: pytest.MonkeyPatch) -> None:
    answer = b"HTTP/1.1 200 Connection established\r\n\r\nHTTP/1.1 400 Bad Request\r\n\r\n"
    _, error = ask_through(monkeypatch, "https://models.example/v1", answer, timeout=1.0)
    assert isinstance(error, ModelError)
    assert "test-model at https://models.example/v1" in error.what


@pytest.mark.parametrize(
    ("entry", "host", "port", "is_in"),
    [
        ("*", "models.example", 443, True),
        ("models.example", "models.example", 443, True),
        ("example", "models.example", 443, True),
        ("ample", "models.example", 443, False),
        (".example", "models.example", 443, True),
        (".example", "example", 443, True),
        ("*.example", "models.example", 443, True),
        ("*.EXAMPLE.", "Models.Example.", 443, True),
        ("*.example", "models.example.org", 443, False),
        ("models.example:8443", "models.example", 8443, True),
        ("models.example:8443", "models.example", 443, False),
        ("*.example:443", "models.example", 443, True),
        ("10.0.0.0/8", "10.20.30.40", 80, True),
        ("10.0.0.0/8", "11.20.30.40", 80, False),
        ("10.1.2.3/8", "10.20.30.40", 80, True),
        ("10.0.0.0/8", "models.example", 80, False),
        ("fd00::/8", "fd12::1", 80, True),
        ("192.168.1.5", "192.168.1.5", 80, True),
        ("192.168.1.5:8000", "192.168.1.5", 8000, True),
        ("192.168.1.5:8000", "192.168.1.5", 80, False),
        ("::1", "0:0:0:0:0:0:0:1", 80, True),
        ("[fd12::1]:8000", "fd12::1", 8000, True),
        ("[fd12::1]", "fd12::1", 80, True),
        ("10.0.0.0/99", "10.0.0.1", 80, False),
        ("10.*", "10.1.2.3", 80, True),
        ("192.168.*.*", "192.168.1.5", 80, True),
        ("10.*", "110.1.2.3", 80, False),
        ("api-*.example", "api-1.example", 443, True),
        ("api-*.example", "models.example", 443, False),
        ("http://models.example", "models.example", 80, True),
        ("https://models.example:8443/", "models.example", 443, False),
        ("models.example/", "models.example", 443, True),
        ("münchen.example", "xn--mnchen-3ya.example", 443, True),
        ("/", "models.example", 443, False),
        ("", "models.example", 80, False),
        (".", "models.example", 80, False),
        ("*.", "models.example", 80, False),
    ],
)
def test_who_is_exempt_from_proxies(entry: str, host: str, port: int, is_in: bool) -> None:
    assert is_exempt(host, port, entry) is is_in
    assert is_exempt(host, port, f"other.test, {entry},third.test") is is_in


def test_a_network_that_is_exempt_is_asked_directly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://proxy.example:3128")
    monkeypatch.setenv("NO_PROXY", "localhost,10.0.0.0/8,*.internal.example,gpu.example:8000")
    for url in ("http://10.1.2.3/v1", "http://a.internal.example/v1", "http://gpu.example:8000/v1"):
        assert not BaseUrl(url, "m").is_proxied()
    for url in ("http://11.1.2.3/v1", "http://internal.test/v1", "http://gpu.example:9000/v1"):
        assert BaseUrl(url, "m").is_proxied()
