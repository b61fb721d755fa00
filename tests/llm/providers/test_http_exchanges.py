"""HTTP with one server: kept connections, given up ones, and whatever a server does with a request."""

import asyncio
import gzip
import zlib
from collections.abc import Awaitable, Callable

import pytest
from aiohttp import SocketTimeoutError

from spotui.llm.protocol import MalformedReplyError, ModelError, TimedOutError, UnavailableError
from spotui.llm.providers.http import HttpPool, fault_body
from tests.llm.providers.asking import an_endpoint
from tests.llm.providers.raw_server import Talk, a_raw_server, read_request

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


def talk(server: Talk, client: Callable[[HttpPool], Awaitable[None]], *, timeout: float = 5.0) -> int:
    """Let a pool talk to a server, and return how many connections it took."""

    async def main() -> int:
        async with a_raw_server(server) as serving:
            pool = HttpPool(an_endpoint(f"http://localhost:{serving.port}/v1", timeout=timeout))
            try:
                await client(pool)
            finally:
                await pool.aclose()
            return serving.connections

    return asyncio.run(main())


async def said(pool: HttpPool, method: str = "POST", content: bytes | None = b"{}") -> bytes:
    async with pool.send(method, "/chat/completions", content) as response:
        return await response.aread()


def test_a_response_that_nobody_read_to_its_end_takes_its_connection_along() -> None:
    async def endless(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 999\r\n\r\nbeginning")
        await reader.read()

    async def client(pool: HttpPool) -> None:
        for _ in range(2):
            async with pool.send("POST", "/chat/completions", b"{}") as response:
                async for piece in response.aiter_bytes():
                    assert piece == b"beginning"
                    break

    assert talk(endless, client) == 2


def test_a_connection_that_the_server_has_closed_is_not_used_again() -> None:
    closed = asyncio.Event()

    async def once(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(OK)
        writer.close()
        await writer.wait_closed()
        closed.set()

    async def client(pool: HttpPool) -> None:
        for _ in range(3):
            assert await said(pool) == b"ok"
            await closed.wait()
            closed.clear()
            for _ in range(5):  # until the end has arrived here, too
                await asyncio.sleep(0.001)

    assert talk(once, client) == 3


@pytest.mark.parametrize(("method", "times"), [("POST", 1), ("GET", 2)])
def test_a_post_that_a_kept_connection_has_swallowed_is_not_sent_twice(method: str, times: int) -> None:
    """Nobody knows whether a model is at work on it; for a list of models that does not matter."""
    asked = 0

    async def swallow_the_second(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal asked
        await read_request(reader)
        writer.write(OK)
        await read_request(reader)
        asked += 1

    async def client(pool: HttpPool) -> None:
        content = b"{}" if method == "POST" else None
        assert await said(pool, method, content) == b"ok"
        if times == 1:
            with pytest.raises(UnavailableError, match="closed the connection without an answer"):
                await said(pool, method, content)
        else:
            assert await said(pool, method, content) == b"ok"

    assert talk(swallow_the_second, client) == times
    assert asked == 1


def test_megabytes_go_there_and_come_back() -> None:
    body = bytes(range(256)) * 12 * 1024

    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        received = await read_request(reader)
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(received) + received)
        await writer.drain()
        await reader.read()

    async def client(pool: HttpPool) -> None:
        assert await said(pool, content=body) == body

    assert talk(echo, client) == 1


def test_an_answer_that_comes_before_the_request_is_taken_counts() -> None:
    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 413 Content Too Large\r\nContent-Length: 4\r\nConnection: close\r\n\r\nlong")
        await writer.drain()
        writer.write_eof()
        while await reader.read(65_536):
            pass

    async def client(pool: HttpPool) -> None:
        async with pool.send("POST", "/chat/completions", b"x" * 4_000_000) as response:
            assert (response.status_code, await fault_body(response)) == (413, b"long")

    talk(refuse, client)


@pytest.mark.parametrize(("coding", "compress"), [("gzip", gzip.compress), ("deflate", zlib.compress)])
def test_a_compressed_body_is_what_it_was(coding: str, compress: Callable[[bytes], bytes]) -> None:
    body = compress(b"the same again " * 1000)

    async def server(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        head = f"HTTP/1.1 200 OK\r\nContent-Encoding: {coding}\r\nContent-Length: {len(body)}\r\n\r\n"
        writer.write(head.encode() + body)
        await reader.read()

    async def client(pool: HttpPool) -> None:
        assert await said(pool) == b"the same again " * 1000

    talk(server, client)


def test_hints_that_come_before_the_response_are_passed_over() -> None:
    async def hinting(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" + OK)
        await reader.read()

    async def client(pool: HttpPool) -> None:
        assert await said(pool) == b"ok"

    talk(hinting, client)


CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"


@pytest.mark.parametrize(
    ("answer", "kind", "words"),
    [
        (b"", UnavailableError, "without an answer"),
        (b"HTTP/1.1 200 OK\r\nContent-", UnavailableError, "without an answer"),
        (b"220 mail.example.org ESMTP\r\n\r\n", MalformedReplyError, "does not answer in HTTP"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\ncut", MalformedReplyError, "broke off in the middle"),
        (CHUNKED + b"9\r\ncut", MalformedReplyError, "broke off in the middle"),
        (CHUNKED + b"3\r\ncut\r\n", MalformedReplyError, "broke off in the middle"),
        (CHUNKED + b"no size\r\n", MalformedReplyError, "does not answer in HTTP"),
        (
            b"HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n",
            MalformedReplyError,
            "does not answer in HTTP",
        ),
        (b"HTTP/1.1 200 OK\r\nX: " + b"x" * 200_000, MalformedReplyError, "does not answer in HTTP"),
    ],
)
def test_what_is_no_whole_answer_is_an_error(answer: bytes, kind: type[ModelError], words: str) -> None:
    async def server(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(answer)
        await writer.drain()

    async def client(pool: HttpPool) -> None:
        with pytest.raises(kind, match=words):
            await said(pool)

    talk(server, client)


def test_a_silent_server_is_waited_for_only_so_long() -> None:
    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()

    async def client(pool: HttpPool) -> None:
        with pytest.raises(TimedOutError, match=r"sent nothing for 0\.05 seconds"):
            await said(pool)

    talk(silent, client, timeout=0.05)


def test_a_chunk_whose_size_is_none_ends_the_wait_for_the_rest() -> None:
    begun = asyncio.Event()

    async def server(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(CHUNKED + b"5\r\nbegun\r\n")
        await begun.wait()
        writer.write(b"no size\r\n")
        await reader.read()

    async def client(pool: HttpPool) -> None:
        async with pool.send("POST", "/chat/completions", b"{}") as response:
            pieces = response.aiter_bytes()
            assert await anext(pieces) == b"begun"
            begun.set()
            with pytest.raises(SocketTimeoutError):
                await anext(pieces)

    talk(server, client, timeout=0.2)


def test_a_server_that_takes_nothing_is_waited_for_only_so_long() -> None:
    async def stuck(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.transport.pause_reading()  # type: ignore[attr-defined]
        await asyncio.Event().wait()

    async def client(pool: HttpPool) -> None:
        with pytest.raises(TimedOutError, match="sent nothing for 1 seconds"):
            await said(pool, content=b"x" * 50_000_000)

    talk(stuck, client, timeout=1.0)
