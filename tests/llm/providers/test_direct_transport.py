"""HTTP over one connection: kept, given up, and carried through whatever a server does with it."""

import asyncio
import shutil
import ssl
import subprocess
from collections.abc import Awaitable, Callable
from pathlib import Path

import httpx
import pytest

from spotui.llm.providers.direct_transport import DirectTransport

Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


def talk(
    server: Talk,
    client: Callable[[httpx.AsyncClient], Awaitable[None]],
    *,
    certificate: Path | None = None,
    trusted: bool = True,
    **options: float,
) -> int:
    """Let a client talk to a server, over TLS where there is a certificate; returns how many connections."""
    connections = 0

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal connections
        connections += 1
        try:
            await server(reader, writer)
        finally:
            writer.close()

    async def main() -> None:
        own, tls = None, httpx.create_ssl_context(verify=certificate is not None)
        if certificate is not None:
            own = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            own.load_cert_chain(certificate)
            if trusted:
                tls.load_verify_locations(certificate)
        listening = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=own)
        port = listening.sockets[0].getsockname()[1]
        transport = DirectTransport(tls, options.get("keep_alive", 60.0))
        scheme = "http" if certificate is None else "https"
        timeout = options.get("timeout", 5.0)
        async with (
            listening,
            httpx.AsyncClient(
                transport=transport, base_url=f"{scheme}://localhost:{port}", timeout=timeout
            ) as asking,
        ):
            await client(asking)

    asyncio.run(main())
    return connections


async def read_request(reader: asyncio.StreamReader) -> bytes:
    """The body of a request."""
    head = await reader.readuntil(b"\r\n\r\n")
    lengths = [line.split(b":")[1] for line in head.splitlines() if line.startswith(b"Content-Length:")]
    length = int(lengths[0]) if lengths else 0
    return await reader.readexactly(length)


async def polite(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while not reader.at_eof():
        try:
            await read_request(reader)
        except asyncio.IncompleteReadError:
            return
        writer.write(OK)


async def thrice(client: httpx.AsyncClient) -> None:
    for _ in range(3):
        assert (await client.post("/", content=b"{}")).text == "ok"


def test_one_connection_for_all_requests() -> None:
    assert talk(polite, thrice) == 1


def test_a_connection_that_was_idle_for_too_long_is_not_used_again() -> None:
    assert talk(polite, thrice, keep_alive=0.0) == 3


def test_a_connection_that_the_server_has_closed_is_not_used_again() -> None:
    closed = asyncio.Event()

    async def once(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(OK)
        writer.close()
        await writer.wait_closed()
        closed.set()

    async def client(client: httpx.AsyncClient) -> None:
        for _ in range(3):
            assert (await client.get("/")).text == "ok"
            await closed.wait()
            closed.clear()
            for _ in range(5):  # until the end has arrived here, too
                await asyncio.sleep(0.001)

    assert talk(once, client) == 3


def test_a_response_that_nobody_read_to_its_end_takes_its_connection_along() -> None:
    async def endless(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 999\r\n\r\nbeginning")
        await reader.read()

    async def client(client: httpx.AsyncClient) -> None:
        for _ in range(2):
            async with client.stream("GET", "/") as response:
                async for piece in response.aiter_bytes():
                    assert piece == b"beginning"
                    break

    assert talk(endless, client) == 2


def test_megabytes_go_there_and_come_back() -> None:
    body = bytes(range(256)) * 32 * 1024

    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        received = await read_request(reader)
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(received) + received)
        await writer.drain()
        await reader.read()

    async def client(client: httpx.AsyncClient) -> None:
        async with client.stream("POST", "/", content=body) as response:
            assert b"".join([piece async for piece in response.aiter_bytes()]) == body

    assert talk(echo, client) == 1


def test_an_answer_that_comes_before_the_request_is_taken_counts() -> None:
    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 413 Content Too Large\r\nContent-Length: 4\r\nConnection: close\r\n\r\nlong")
        await writer.drain()
        writer.write_eof()
        while await reader.read(65_536):
            pass

    async def client(client: httpx.AsyncClient) -> None:
        response = await client.post("/", content=b"x" * 4_000_000)
        assert (response.status_code, response.text) == (413, "long")

    talk(refuse, client)


def test_hints_that_come_before_the_response_are_passed_over() -> None:
    async def hinting(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" + OK)
        await reader.read()

    async def client(client: httpx.AsyncClient) -> None:
        assert (await client.get("/")).text == "ok"

    talk(hinting, client)


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (b"", httpx.RemoteProtocolError),
        (b"220 mail.example.org ESMTP\r\n\r\n", httpx.RemoteProtocolError),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\ncut", httpx.RemoteProtocolError),
        (b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n", httpx.RemoteProtocolError),
        (b"HTTP/1.1 200 OK\r\nX: " + b"x" * 200_000, httpx.RemoteProtocolError),
    ],
)
def test_what_is_no_whole_answer_is_an_error(answer: bytes, error: type[httpx.RequestError]) -> None:
    async def server(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(answer)
        await writer.drain()

    async def client(client: httpx.AsyncClient) -> None:
        with pytest.raises(error):
            await client.get("/")

    talk(server, client)


def test_a_silent_server_is_waited_for_only_so_long() -> None:
    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()

    async def client(client: httpx.AsyncClient) -> None:
        with pytest.raises(httpx.ReadTimeout):
            await client.get("/")

    talk(silent, client, timeout=0.05)


def test_a_server_that_takes_nothing_is_waited_for_only_so_long() -> None:
    async def stuck(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        reader.feed_eof()
        writer.transport.pause_reading()  # type: ignore[attr-defined]
        await asyncio.sleep(5)

    async def client(client: httpx.AsyncClient) -> None:
        with pytest.raises(httpx.WriteTimeout):
            await client.post("/", content=b"x" * 50_000_000)

    talk(stuck, client, timeout=0.2)


def test_a_request_that_no_http_can_carry_is_refused_here() -> None:
    async def client(client: httpx.AsyncClient) -> None:
        with pytest.raises(httpx.LocalProtocolError):
            await client.get("/", headers={"X-Name": "two\r\nlines"})
        assert (await client.get("/")).text == "ok"

    talk(polite, client)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate for localhost that nobody has signed, with its key."""
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
    words += ["-addext", "subjectAltName=DNS:localhost"]
    words += ["-keyout", str(folder / "key.pem"), "-out", str(folder / "cert.pem")]
    subprocess.run(words, check=True, capture_output=True)
    both = folder / "both.pem"
    both.write_text((folder / "key.pem").read_text() + (folder / "cert.pem").read_text())
    return both


def test_tls_is_spoken_and_its_connection_kept(certificate: Path) -> None:
    body = b"x" * 3_000_000

    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for _ in range(2):
            received = await read_request(reader)
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(received) + received)
            await writer.drain()
        await reader.read()

    async def client(client: httpx.AsyncClient) -> None:
        for _ in range(2):
            assert (await client.post("/", content=body)).content == body

    assert talk(echo, client, certificate=certificate) == 1


def test_a_certificate_that_is_not_trusted_ends_it(certificate: Path) -> None:
    async def client(client: httpx.AsyncClient) -> None:
        with pytest.raises(httpx.ConnectError) as caught:
            await client.get("/")
        assert isinstance(caught.value.__cause__, ssl.SSLCertVerificationError)

    assert talk(polite, client, certificate=certificate, trusted=False) == 0
