"""A server in this process, and tabs that know what a person would see in them."""

import asyncio
import io
import json
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import pyte
from aiohttp import web

from spotui.serve.access import Access
from spotui.serve.page import find_assets
from spotui.serve.server import Server, listening_socket
from spotui.settings import locations
from tests.terminal import KEYS, UNKNOWN_TO_PYTE

TOKEN = "a-token-for-tests-alone"
PATIENCE_SECONDS = 60.0


@dataclass
class Tab:
    """A tab that shows the app.

    Attributes:
        visit: The key of its visit.
        asked: What the app has asked of the page.
        code: Why the server closed the line; None while it is open.
    """

    served: "Served"
    columns: int = 100
    rows: int = 30
    visit: str = ""
    asked: list[tuple[str, Any]] = field(default_factory=list)
    code: int | None = None

    def __post_init__(self) -> None:
        self._screen = pyte.Screen(self.columns, self.rows)
        self._stream = pyte.ByteStream(self._screen)
        self._changed = asyncio.Event()

    async def open(self) -> "Tab":
        """Connect, and begin to read."""
        size = f"width={self.columns}&height={self.rows}&visit={self.visit}"
        self.line = await self.served.session.ws_connect(
            f"{self.served.url}/line?{size}", headers=self.served.own_page, max_msg_size=0
        )
        self._reading = asyncio.create_task(self._read())
        return self

    async def reopen(self, visit: str) -> "Tab":
        """Connect as a page that had a visit."""
        self.visit = visit
        return await self.open()

    async def _read(self) -> None:
        async for message in self.line:
            if message.type == aiohttp.WSMsgType.BINARY:
                self._stream.feed(UNKNOWN_TO_PYTE.sub(b"", message.data))
            elif message.type == aiohttp.WSMsgType.TEXT:
                kind, data = json.loads(message.data)
                if kind == "visit":
                    self.visit = data
                else:
                    self.asked.append((kind, data))
            self._changed.set()
        self.code = self.line.close_code
        self._changed.set()

    async def press(self, *keys: str) -> None:
        """Type keys: names such as `enter`, or text."""
        for key in keys:
            await self.line.send_json(["stdin", KEYS.get(key, key)])

    @property
    def text(self) -> str:
        """What is on the screen."""
        return "\n".join(line.rstrip() for line in self._screen.display)

    async def until(self, *texts: str) -> None:
        """Wait until every text is on the screen."""
        await self._wait(lambda: all(text in self.text for text in texts), texts)

    async def until_asked(self, kind: str) -> Any:
        """Wait until the app asks something of the page; what it was."""
        await self._wait(lambda: any(one == kind for one, _ in self.asked), kind)
        return next(data for one, data in self.asked if one == kind)

    async def until_closed(self) -> int | None:
        """Wait until the server closes the line; the code."""
        await asyncio.wait_for(self._reading, PATIENCE_SECONDS)
        return self.code

    async def _wait(self, holds: Any, what: object) -> None:
        deadline = asyncio.get_running_loop().time() + PATIENCE_SECONDS
        while not holds():
            self._changed.clear()
            left = deadline - asyncio.get_running_loop().time()
            try:
                await asyncio.wait_for(self._changed.wait(), max(0.01, left))
            except TimeoutError:
                raise AssertionError(
                    f"{what} did not appear; code {self.code}; the screen is:\n{self.text}"
                ) from None

    async def drop(self) -> None:
        """Lose the connection."""
        self._reading.cancel()
        await self.line.close()


@dataclass
class Served:
    """A server that runs.

    Attributes:
        url: Where.
        session: A browser that is signed in.
        said: What the server has said.
        errors: What its apps have complained of.
    """

    url: str
    access: Access
    session: aiohttp.ClientSession
    said: list[str]
    errors: io.BufferedRandom

    @property
    def own_page(self) -> dict[str, str]:
        """The header of a request by the server's own page."""
        return {"Origin": self.url}

    def tab(self, columns: int = 100, rows: int = 30) -> Tab:
        """A new tab of the browser."""
        return Tab(self, columns, rows)


@asynccontextmanager
async def serving(*more: str, words: Sequence[str] | None = None) -> AsyncIterator[Served]:
    """Serve on a free port.

    Args:
        more: Further flags of the visitor's app.
        words: What is started in place of the app.
    """
    own = [sys.executable, "-m", "spotui.tui.visitor", "--workspace", str(locations.workspace_dir()), *more]
    said: list[str] = []
    errors = (locations.data_dir().parent / "errors.log").open("w+b")
    with errors, listening_socket("127.0.0.1", 0) as listener:
        port = listener.getsockname()[1]
        access, url = Access(TOKEN, "127.0.0.1", port), f"http://127.0.0.1:{port}"
        server = Server(
            words or own,
            access,
            find_assets(),
            is_read_only="--read-only" in more,
            errors=errors,
            say=said.append,
        )
        runner = web.AppRunner(server.application(), access_log=None, shutdown_timeout=1.0)
        await runner.setup()
        await web.SockSite(runner, listener).start()
        jar = aiohttp.CookieJar(unsafe=True)
        try:
            async with aiohttp.ClientSession(cookie_jar=jar) as session:
                served = Served(url, access, session, said, errors)
                headers = {"Authorization": f"Bearer {TOKEN}", **served.own_page}
                async with session.post(f"{url}/session", headers=headers) as answer:
                    assert answer.status == 204
                yield served
        finally:
            await runner.cleanup()
