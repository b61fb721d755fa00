"""A proxy that the environment names is asked, and its login is told to nobody else."""

import asyncio
from base64 import b64encode

import pytest

from spotui.llm.errors import ModelError, UnavailableError
from spotui.llm.providers.http_pool import HttpPool
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
    assert "HTTPS_PROXY" in error.mend
    shown = f"{error} {error.mend}"
    assert not any(word in shown for word in ("hidden", "0123456789", b64encode(LOGIN.encode()).decode()))


def test_a_tunnel_that_is_never_there_is_waited_for_only_so_long(monkeypatch: pytest.MonkeyPatch) -> None:
    _, error = ask_through(monkeypatch, "https://models.example/v1", None, timeout=0.2)
    assert isinstance(error, UnavailableError)
    assert "took no connection for 0.2 seconds" in error.what


def test_a_tunnel_to_something_without_tls(monkeypatch: pytest.MonkeyPatch) -> None:
    answer = b"HTTP/1.1 200 Connection established\r\n\r\nHTTP/1.1 400 Bad Request\r\n\r\n"
    _, error = ask_through(monkeypatch, "https://models.example/v1", answer)
    assert isinstance(error, ModelError)
    assert "test-model at https://models.example/v1" in error.what
