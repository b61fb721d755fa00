"""Who is let in, and what a browser and its app say to each other; a small program stands for the app."""

import asyncio
import io
import sys
from pathlib import Path

import aiohttp
import pytest

from spotui.serve import server as server_module
from spotui.serve.visit import ELSEWHERE, FAILED, LEFT
from tests.command_line import move_in
from tests.serve.tabs import TOKEN, serving

APP = r"""
import json, os, sys
def packet(kind, data):
    os.write(1, kind + len(data).to_bytes(4, "big") + data)
os.write(1, b"__GANGLION__\n")
print("a complaint", file=sys.stderr, flush=True)
tokens = sum("TOKEN" in name for name in os.environ)
packet(b"D", f"size {os.environ['COLUMNS']}x{os.environ['ROWS']} tokens {tokens}".encode())
while head := sys.stdin.buffer.read(5):
    data = sys.stdin.buffer.read(int.from_bytes(head[1:], "big"))
    if head[:1] == b"D":
        if data == b"q":
            packet(b"M", b'{"type": "exit"}')
            sys.exit(0)
        if data == b"crash":
            sys.exit(3)
        if data == b"c":
            packet(b"M", b'{"type": "copy", "text": "copied"}')
            packet(b"M", b'{"type": "made_up"}')
        packet(b"D", b"\r\ntyped " + data)
    else:
        told = json.loads(data)
        if told["type"] == "quit":
            packet(b"M", b'{"type": "exit"}')
            sys.exit(0)
        if told["type"] == "uploaded":
            told["content"] = open(told.pop("path")).read()
        packet(b"D", b"\r\ntold " + json.dumps(told, sort_keys=True).encode())
"""
WORDS = [sys.executable, "-c", APP]
ADDRESS = "Open the address that 'spotui serve' printed"


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    move_in(monkeypatch, tmp_path, SPOTUI_SERVE_TOKEN=TOKEN)


def test_nobody_comes_in_without_the_token_or_from_another_page() -> None:
    async def scenario() -> None:
        async with serving(words=WORDS) as served, aiohttp.ClientSession() as stranger:
            url, own, evil = served.url, served.own_page, {"Origin": "http://evil.example"}
            right = {"Authorization": f"Bearer {TOKEN}"}

            async def said(
                method: str, path: str, headers: dict[str, str], by: aiohttp.ClientSession = stranger
            ) -> tuple[int, str]:
                async with by.request(method, url + path, headers=headers) as answer:
                    assert TOKEN not in str(answer.headers) + await answer.text()
                    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
                    return answer.status, await answer.text()

            assert await said("POST", "/session", {"Authorization": "Bearer wrong", **own}) == (
                403,
                f"The token is wrong. {ADDRESS}; a new start has a new token.",
            )
            assert (await said("POST", "/session", own))[0] == 403
            assert (await said("POST", "/session", right))[0] == 403
            assert (await said("POST", "/session", right | evil))[0] == 403
            assert await said("GET", "/line", own) == (
                403,
                f"You are not signed in. {ADDRESS}.",
            )
            assert (await said("GET", "/line", evil, served.session)) == (
                403,
                "Only the page of this server may do that.",
            )
            assert (await said("GET", "/line", {}, served.session))[0] == 403
            assert (await said("POST", "/upload", evil, served.session))[0] == 403
            assert (await said("GET", "/", {"Host": "evil.example"}))[0] == 403
            assert (await said("GET", "/session", {}))[0] == 403
            assert (await said("GET", "/session", {}, served.session))[0] == 204
            cookie = next(iter(served.session.cookie_jar))
            assert cookie["httponly"]
            assert cookie["samesite"] == "Strict"
            assert cookie.value not in (TOKEN, "")
            status, page = await said("GET", "/", {})
            assert status == 200
            assert "https://" not in page.replace("http://www.w3.org", "")
            for name in ("terminal.js", "terminal.css", "terminal.ttf", "page.js", "page.css", "icon.svg"):
                async with stranger.get(f"{url}/{name}") as answer:
                    assert answer.status == 200, name
            async with stranger.get(f"{url}/../access.py") as answer:
                assert answer.status == 404
            assert not [line for line in served.said if TOKEN in line]

    asyncio.run(scenario())


def test_a_tab_types_copies_uploads_is_dropped_and_returns() -> None:
    async def scenario() -> None:
        async with serving(words=WORDS) as served:
            tab = await served.tab(columns=90, rows=20).open()
            await tab.until("size 90x20 tokens 0")
            await tab.press("hello", "c")
            await tab.until("typed hello")
            assert (await tab.until_asked("copy"))["text"] == "copied"
            assert [kind for kind, _ in tab.asked] == ["copy"]
            for nonsense in ("{", "[]", '["stdin", 3]', '["resize", {"width": "x"}]', '"stdin"', "3", "\x00"):
                await tab.line.send_str(nonsense)
            await tab.line.send_bytes(b"stdin")
            await tab.line.send_json(["resize", {"width": 10**9, "height": -4}])
            await tab.until('told {"height": 1, "type": "resize", "width": 1000}')
            headers = {"X-Visit": tab.visit, "X-Name": "a%20b.yaml", **served.own_page}
            async with served.session.post(
                f"{served.url}/upload", data=b"prompt: x", headers=headers
            ) as answer:
                assert answer.status == 204
            await tab.until('"content": "prompt: x", "name": "a b.yaml"')
            async with served.session.post(
                f"{served.url}/upload", data=io.BytesIO(bytes(5_000_000)), headers=headers
            ) as answer:
                assert (answer.status, await answer.text()) == (
                    413,
                    "The file is too large to be a template.",
                )

            await tab.drop()
            again = await served.tab(columns=70, rows=10).reopen(tab.visit)
            await again.until('told {"height": 10, "type": "resize", "width": 70}', '{"type": "returned"}')
            assert again.visit == tab.visit
            taken = await served.tab().reopen(tab.visit)
            assert await again.until_closed() == ELSEWHERE
            await taken.press("q")
            assert await taken.until_closed() == LEFT
            anew = await served.tab().reopen(tab.visit)
            await anew.press("crash")
            assert await anew.until_closed() == FAILED
            served.errors.seek(0)
            assert b"a complaint" in served.errors.read()

    asyncio.run(scenario())


def test_so_many_browsers_and_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server_module, "MOST_VISITS", 2)

    async def scenario() -> None:
        async with serving(words=WORDS) as served:
            first, second = await served.tab().open(), await served.tab().open()
            with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
                await served.tab().open()
            assert refused.value.status == 503
            async with served.session.get(f"{served.url}/session") as answer:
                assert (answer.status, await answer.text()) == (
                    503,
                    "2 browsers are connected already. Close one, and try again.",
                )
            await first.drop()
            await second.until("size")
            third = await served.tab().open()
            await third.until("size")
            assert third.visit not in (first.visit, second.visit)

    asyncio.run(scenario())
