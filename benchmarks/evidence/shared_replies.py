"""Replies that runs share: what a model says at temperature 0 need not be computed twice."""

from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Final

import msgspec

from spotui.domain.calls import Reply, Request
from spotui.llm.connections import Connection, Connections
from spotui.llm.protocol import OnDelta, Provider
from spotui.runs.launch import Launcher
from spotui.settings.table import RunSettings

_ENCODER: Final = msgspec.json.Encoder(order="deterministic")


class _Kept(msgspec.Struct, frozen=True):
    key: str
    reply: Reply


class Replies:
    """Replies by what was asked, in a file to which lines are appended.

    Args:
        path: The file; a last line that a kill cut is left out.
    """

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._known: dict[str, Reply] = {}
        decoder = msgspec.json.Decoder(_Kept)
        data = path.read_bytes() if path.exists() else b""
        whole = data[: data.rfind(b"\n") + 1]
        for line in whole.splitlines():
            kept = decoder.decode(line)
            self._known[kept.key] = kept.reply
        path.write_bytes(whole)
        self._file = path.open("ab", buffering=0)

    def find(self, key: str) -> Reply | None:
        """The reply to a request, if it is known."""
        return self._known.get(key)

    def keep(self, key: str, reply: Reply) -> None:
        """Remember a reply."""
        self._known[key] = reply
        self._file.write(_ENCODER.encode(_Kept(key, reply)) + b"\n")


class _Sharing:
    """A provider that asks only what no run has asked before.

    Args:
        inner: The provider.
        replies: The replies of all runs.
    """

    def __init__(self, inner: Provider, replies: Replies) -> None:
        self._inner = inner
        self._replies = replies

    async def complete(self, request: Request, on_delta: OnDelta) -> Reply:
        """A known reply, or else the provider's."""
        if request.temperature != 0:
            return await self._inner.complete(request, on_delta)
        key = sha256(_ENCODER.encode(request)).hexdigest()
        if (known := self._replies.find(key)) is not None:
            return known
        reply = await self._inner.complete(request, on_delta)
        self._replies.keep(key, reply)
        return reply

    async def aclose(self) -> None:
        """Close the provider."""
        await self._inner.aclose()


class SharingLauncher(Launcher):
    """Starts runs whose replies are shared.

    Args:
        replies: The replies of all runs.
    """

    def __init__(self, replies: Replies) -> None:
        super().__init__()
        self._replies = replies

    def connections(self, settings: RunSettings) -> Connections:
        """The models of these settings; see `Launcher.connections`."""
        connect: Callable[[str], Connection] = self.connector(settings).connect

        def sharing(model: str) -> Connection:
            connection = connect(model)
            connection.provider = _Sharing(connection.provider, self._replies)
            return connection

        return Connections(sharing)
