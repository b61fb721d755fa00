"""Where a request goes, and with which headers: only ever to the base URL's own address."""

import asyncio
import json
from collections.abc import Callable

import pytest

from spotui.llm.protocol import AuthenticationError, BadRequestError, ModelError
from spotui.llm.providers.openai_compatible import OpenAICompatibleProvider
from tests.llm.providers.asking import KEY, a_request, an_endpoint
from tests.llm.providers.raw_server import RawServer, a_raw_server

Answer = Callable[[str, dict[str, str], int], tuple[int, dict[str, str]]]
"""What is answered to a path and headers at a port: a status and headers."""

OK = json.dumps({"choices": [{"message": {"content": "fine"}, "finish_reason": "stop"}]})


class Heads:
    """Serves requests one after the other, and remembers their paths and headers."""

    def __init__(self, answer: Answer) -> None:
        self.paths: list[str] = []
        self.headers: list[dict[str, str]] = []
        self.port = 0
        self._answer = answer

    async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            line, *rest = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
            pairs = (one.partition(":") for one in rest if one)
            headers = {name.lower(): value.strip() for name, _, value in pairs}
            await reader.readexactly(int(headers.get("content-length", 0)))
            path = line.split(" ")[1]
            self.paths.append(path)
            self.headers.append(headers)
            status, more = self._answer(path, headers, self.port)
            body = OK if status == 200 else json.dumps({"error": {"message": "No."}})
            lines = [f"HTTP/1.1 {status} X", f"Content-Length: {len(body)}", "Content-Type: application/json"]
            lines += [f"{name}: {value}" for name, value in more.items()]
            writer.write(("\r\n".join(lines) + "\r\n\r\n" + body).encode())
            await writer.drain()


def ask(
    heads: Heads, calls: int = 1, *, path: str = "/v1", key: str | None = KEY, at_once: int = 1
) -> list[str]:
    """The texts of some calls, so many at once."""

    async def main() -> list[str]:
        async with a_raw_server(heads.talk) as server:
            heads.port = server.port
            provider = OpenAICompatibleProvider(an_endpoint(f"http://127.0.0.1:{server.port}{path}", key=key))
            try:
                return [
                    reply.text
                    for _ in range(calls)
                    for reply in await asyncio.gather(
                        *(provider.complete(a_request(), lambda _: None) for _ in range(at_once))
                    )
                ]
            finally:
                await provider.aclose()

    return asyncio.run(main())


@pytest.mark.parametrize("status", [301, 302, 307, 308])
@pytest.mark.parametrize(
    "location",
    [
        "/v1/chat/completions/",
        "http://127.0.0.1:{port}/v1/chat/completions/",
        # As a server behind a gateway sees itself.
        "http://127.0.0.1/v1/chat/completions/",
        "https://127.0.0.1:9/v1/chat/completions/",
    ],
)
def test_a_redirect_that_only_adds_a_slash_is_followed_and_remembered(status: int, location: str) -> None:
    def answer(path: str, _: dict[str, str], port: int) -> tuple[int, dict[str, str]]:
        return (200, {}) if path.endswith("/") else (status, {"Location": location.format(port=port)})

    heads = Heads(answer)
    assert ask(heads, 2) == ["fine", "fine"]
    assert heads.paths == ["/v1/chat/completions", *["/v1/chat/completions/"] * 2]


def test_calls_that_were_sent_together_learn_of_slash_and_header_together() -> None:
    def answer(path: str, headers: dict[str, str], _: int) -> tuple[int, dict[str, str]]:
        if not path.endswith("/"):
            return 307, {"Location": f"{path}/"}
        return 200 if headers.get("api-key") == KEY else 401, {}

    assert ask(Heads(answer), 2, at_once=5) == ["fine"] * 10


def test_a_query_stays_where_a_slash_is_added() -> None:
    def answer(path: str, _: dict[str, str], __: int) -> tuple[int, dict[str, str]]:
        target = "/v1/chat/completions/"
        return (200, {}) if path.startswith(target) else (307, {"Location": target})

    heads = Heads(answer)
    assert ask(heads, path="/v1?api-version=2024-10-21") == ["fine"]
    assert heads.paths[-1] == "/v1/chat/completions/?api-version=2024-10-21"


@pytest.mark.parametrize(
    "location",
    [
        "http://other.example/v1/chat/completions/",
        "//other.example/v1/chat/completions/",
        "http://127.0.0.1.other.example/v1/chat/completions/",
        "http://localhost:{port}/v1/chat/completions/",
        "/v2/chat/completions/",
        "/v1/chat/completions",
        "/login/",
        "http://[bad/",
        "",
    ],
)
def test_every_other_redirect_is_an_error_and_no_key_follows_it(location: str) -> None:
    def answer(_: str, __: dict[str, str], port: int) -> tuple[int, dict[str, str]]:
        return 307, {"Location": location.format(port=port)}

    heads = Heads(answer)
    with pytest.raises(BadRequestError, match="has moved"):
        ask(heads)
    assert len(heads.paths) == 1


def test_a_slash_that_leads_back_is_not_followed_for_ever() -> None:
    heads = Heads(lambda path, *_: (307, {"Location": f"{path}/"}))
    with pytest.raises(BadRequestError, match="has moved"):
        ask(heads)
    assert len(heads.paths) == 2


@pytest.mark.parametrize("name", ["api-key", "x-api-key", "ocp-apim-subscription-key"])
@pytest.mark.parametrize("status", [401, 403])
def test_a_key_is_sent_in_the_header_that_a_gateway_wants(name: str, status: int) -> None:
    heads = Heads(lambda _, headers, __: (200 if headers.get(name) == KEY else status, {}))
    assert ask(heads, 2) == ["fine", "fine"]
    assert len(heads.paths) == 3
    assert [headers.get("authorization") for headers in heads.headers] == [f"Bearer {KEY}", None, None]


def test_a_key_that_is_wrong_everywhere_is_tried_once_in_other_headers() -> None:
    async def main() -> int:
        heads = Heads(lambda *_: (401, {}))
        async with a_raw_server(heads.talk) as server:
            provider = OpenAICompatibleProvider(an_endpoint(f"http://127.0.0.1:{server.port}/v1", key=KEY))
            for _ in range(2):
                with pytest.raises(AuthenticationError, match="does not accept the key"):
                    await provider.complete(a_request(), lambda _: None)
            await provider.aclose()
        assert heads.headers[-1]["authorization"] == f"Bearer {KEY}"
        return len(heads.paths)

    assert asyncio.run(main()) == 3


def test_without_a_key_there_is_nothing_to_send_elsewhere() -> None:
    heads = Heads(lambda *_: (401, {}))
    with pytest.raises(AuthenticationError, match="none is set"):
        ask(heads, key=None)
    assert len(heads.paths) == 1


async def one_answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answers, keeps the connection, and breaks it off when it is used again."""
    for number in range(2):
        head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
        await reader.readexactly(int(head.split("content-length: ")[1].split("\r\n")[0]))
        if number == 1:
            writer.transport.abort()
            return
        writer.write(f"HTTP/1.1 200 OK\r\nContent-Length: {len(OK)}\r\n\r\n{OK}".encode())
        await writer.drain()


def test_after_a_dead_connection_every_try_opens_a_new_one() -> None:
    async def main() -> tuple[list[str], int]:
        async with a_raw_server(one_answer) as server:
            return await ask_in_turns(server), server.connections

    outcomes, connections = asyncio.run(main())
    # Three calls leave three connections to reuse; the first of them that is dead is the last.
    assert outcomes == ["fine"] * 3 + ["UnavailableError"] + ["fine"] * 4
    assert connections == 3 + 4


async def ask_in_turns(server: RawServer) -> list[str]:
    provider = OpenAICompatibleProvider(an_endpoint(f"http://127.0.0.1:{server.port}/v1"))

    async def outcome() -> str:
        try:
            return (await provider.complete(a_request(), lambda _: None)).text
        except ModelError as error:
            return type(error).__name__

    try:
        together = await asyncio.gather(*(outcome() for _ in range(3)))
        return [*together, *[await outcome() for _ in range(5)]]
    finally:
        await provider.aclose()
