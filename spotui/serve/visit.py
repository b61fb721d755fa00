"""A visit: the app of one browser, in a process that waits for a while when the browser is gone."""

import asyncio
import contextlib
import json
import os
import secrets
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, Any, Final, Protocol

READY: Final = b"__GANGLION__\n"
"""What Textual's web driver writes before its first packet."""
LEFT, ELSEWHERE, FAILED = 4000, 4001, 4002
"""Why a connection ends: the app was left, another tab took the visit over, the app could not continue."""
_END_SECONDS: Final = 3.0
_LARGEST_PACKET: Final = 64 * 1024 * 1024
_HANDED_ON: Final = frozenset({"choose_file", "copy", "download", "ground", "open_url"})
"""What the app may ask of the page."""
_UNWANTED: Final = (
    "COLORFGBG",
    "TMUX",
    "SSH_CONNECTION",
    "TERM_PROGRAM",
    "TEXTUAL_DRIVER",
    "SPOTUI_SERVE_TOKEN",
)
"""Variables that tell of the terminal of the server, or that the app is not to know."""


class Connection(Protocol):
    """The part of a WebSocket that a visit needs."""

    async def send_bytes(self, data: bytes) -> None:
        """Send a part of a screen."""

    async def send_str(self, data: str) -> None:
        """Send a message."""

    async def close(self, *, code: int = 1000) -> Any:
        """Close it, for a reason."""


class Visit:
    """The app of one browser.

    Args:
        words: The command that starts the app.
        stderr: Where its complaints go.

    Attributes:
        key: Names the visit; whoever knows it continues it.
        left_at: When the browser was gone, on the monotonic clock; None while it is there.
        has_ended: Whether the app has ended.
    """

    def __init__(self, words: Sequence[str], stderr: IO[bytes]) -> None:
        self.key = secrets.token_urlsafe(18)
        self.left_at: float | None = time.monotonic()
        self.has_ended = False
        self._words = list(words)
        self._stderr = stderr
        self._connection: Connection | None = None
        self._process: asyncio.subprocess.Process | None = None
        self._pump: asyncio.Task[None] | None = None
        self._was_shown = False

    async def start(self, width: int, height: int) -> None:
        """Start the app on a screen of that many cells.

        Raises:
            OSError: It cannot be started.
        """
        environ = {name: value for name, value in os.environ.items() if name not in _UNWANTED}
        environ |= {"TEXTUAL_COLOR_SYSTEM": "truecolor", "TERM": "xterm-256color", "COLORTERM": "truecolor"}
        environ |= {"COLUMNS": str(width), "ROWS": str(height)}
        self._process = await asyncio.create_subprocess_exec(
            *self._words,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._stderr,
            env=environ,
            start_new_session=True,
        )
        self._pump = asyncio.create_task(self._run())

    async def attach(self, connection: Connection, width: int, height: int) -> None:
        """Show the app to a connection from now on; another one that showed it is closed."""
        before, self._connection, self.left_at = self._connection, connection, None
        is_first, self._was_shown = not self._was_shown, True
        if before is not None:
            with contextlib.suppress(ConnectionError, RuntimeError):
                await before.close(code=ELSEWHERE)
        if not is_first:
            await self.tell({"type": "resize", "width": width, "height": height})
            await self.tell({"type": "returned"})

    def detach(self, connection: Connection) -> None:
        """A connection is gone; the app waits."""
        if self._connection is connection:
            self._connection, self.left_at = None, time.monotonic()

    async def type(self, text: str) -> None:
        """Hand over what was typed."""
        await self._packet(b"D", text.encode("utf-8", "replace"))

    async def tell(self, data: Mapping[str, object]) -> None:
        """Tell the app something beside keys."""
        await self._packet(b"M", json.dumps(data).encode())

    async def hand_over(self, name: str, path: Path) -> None:
        """Give the app an uploaded file, which it removes."""
        await self.tell({"type": "uploaded", "name": name, "path": str(path)})

    async def end(self) -> None:
        """End the app; it has a few seconds."""
        if self._process is None or self._pump is None:
            return
        await self.tell({"type": "quit"})
        try:
            await asyncio.wait_for(asyncio.shield(self._pump), _END_SECONDS)
        except TimeoutError:
            with contextlib.suppress(ProcessLookupError):
                self._process.kill()
            await self._pump

    async def _packet(self, kind: bytes, payload: bytes) -> None:
        if self._process is None or self._process.stdin is None or self.has_ended:
            return
        with contextlib.suppress(ConnectionError, RuntimeError):  # it is just ending
            self._process.stdin.write(kind + len(payload).to_bytes(4, "big") + payload)
            await self._process.stdin.drain()

    async def _run(self) -> None:
        """Hand on what the app writes until it ends; while nobody is there it is dropped."""
        process = self._process
        assert process is not None and process.stdout is not None  # noqa: S101, PT018 - it was started
        was_left = False
        try:
            was_left = await self._hand_on(process.stdout)
        except (asyncio.IncompleteReadError, ValueError):
            pass  # it was killed, or something else than the app has written
        finally:
            self.has_ended = True
            if process.stdin is not None:
                process.stdin.close()
            try:
                await asyncio.wait_for(process.wait(), _END_SECONDS)
            except TimeoutError:
                process.kill()
                await process.wait()
            if (connection := self._connection) is not None:
                is_good = was_left and process.returncode == 0
                with contextlib.suppress(ConnectionError, RuntimeError):
                    await connection.close(code=LEFT if is_good else FAILED)

    async def _hand_on(self, output: asyncio.StreamReader) -> bool:
        """Whether the app has said that it ends."""
        while (line := await output.readline()) != READY:
            if not line:
                return False
        while True:
            head = await output.readexactly(5)
            size = int.from_bytes(head[1:], "big")
            if size > _LARGEST_PACKET:
                raise ValueError(size)
            payload = await output.readexactly(size)
            if head[:1] == b"D":
                await self._show(payload)
            elif head[:1] == b"M":
                data = json.loads(payload)
                if data["type"] == "exit":
                    return True
                if data["type"] in _HANDED_ON:
                    await self._ask_page(data)

    async def _show(self, payload: bytes) -> None:
        if (connection := self._connection) is not None:
            with contextlib.suppress(ConnectionError, RuntimeError):
                await connection.send_bytes(payload)

    async def _ask_page(self, data: dict[str, Any]) -> None:
        if (connection := self._connection) is not None:
            with contextlib.suppress(ConnectionError, RuntimeError):
                await connection.send_str(json.dumps([data.pop("type"), data]))
