"""Providers that ask no model: replies from a file, or from a journal."""

import asyncio
from collections import Counter, defaultdict, deque
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

import msgspec
import yaml

from spotui.domain.calls import Reply, Request, Usage
from spotui.domain.records import CallLine
from spotui.domain.text import whole_text
from spotui.lang import _
from spotui.llm.limits import Halted
from spotui.llm.protocol import (
    BadRequestError,
    Delta,
    OnDelta,
    RequestRefusedError,
    digest_of,
    recorded_reply,
)

_PIECE = 24


class Rule(msgspec.Struct, forbid_unknown_fields=True):
    """One rule of a script."""

    replies: Annotated[list[str], msgspec.Meta(min_length=1)]
    when: str = ""
    seconds: float = 0.0


class ScriptedProvider:
    """Answers by rules.

    Args:
        path: The script.

    Raises:
        BadRequestError: It cannot be read, or is no list of rules.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._used: Counter[int] = Counter()
        try:
            self._rules = msgspec.convert(yaml.safe_load(path.read_text("utf-8")), list[Rule])
        except (OSError, UnicodeDecodeError, yaml.YAMLError, msgspec.ValidationError) as error:
            what = _(
                "The script {path} cannot be used: {error}.", path=path, error=" ".join(str(error).split())
            )
            raise BadRequestError(what, _("It is a YAML list of rules with 'when' and 'replies'.")) from None

    async def complete(self, request: Request, on_delta: OnDelta) -> Reply:
        """The next reply of the first rule that fits; see `Provider.complete`."""
        if request.embed:
            raise BadRequestError(
                _("The script {path} has replies, and no embeddings.", path=self._path),
                _("Use another embedding model."),
            )
        asked = request.messages[-1].content
        found = next(((n, one) for n, one in enumerate(self._rules) if one.when in asked), None)
        if found is None:
            raise BadRequestError(
                _("The script {path} has no rule for: {asked!r}.", path=self._path, asked=asked[:80]),
                _("Add one without 'when' at its end."),
            )
        number, rule = found
        text = whole_text(rule.replies[self._used[number] % len(rule.replies)])
        self._used[number] += 1
        pieces = [text[start : start + _PIECE] for start in range(0, len(text), _PIECE)]
        for piece in pieces:
            await asyncio.sleep(rule.seconds / len(pieces))
            on_delta(Delta(text=piece))
        usage = Usage(sum(len(m.content) for m in request.messages) // 4, len(text) // 4, estimated=True)
        return Reply(text=text, finish_reason="stop", usage=usage, seconds=rule.seconds, cost_usd=0.0)

    async def aclose(self) -> None:
        """There is nothing to close."""


_PIECES_PER_SECOND = 20
_SILENCE = 0.1


class RecordedProvider:
    """Answers with what was once answered to the same request.

    Args:
        calls: The calls of a journal.
        speed: How many times as fast as it was; 0 is at once.
    """

    def __init__(self, calls: Iterable[CallLine], speed: float) -> None:
        self._replies: defaultdict[str, deque[CallLine]] = defaultdict(deque)
        self._speed = speed
        self._begun = 0
        self._playing = 0
        # Requests that are alike are asked for in the order of their keys, whichever was answered first.
        for call in sorted(calls, key=lambda call: call.key):
            self._replies[call.digest].append(call)

    async def complete(self, request: Request, on_delta: OnDelta) -> Reply:
        """The recorded reply, streamed over the time it took; see `Provider.complete`.

        A request without one is a call that was cancelled, and will be again, unless nothing else goes on.

        Raises:
            Halted: The recording ends here.
            RequestRefusedError: It was refused.
        """
        waiting = self._replies[digest_of(request)]
        if not waiting:
            await self._silence()
            raise Halted("stopped", _("The recording ends here."))
        reply = recorded_reply(waiting.popleft())
        if reply.rejected:
            raise RequestRefusedError(reply.rejected)
        self._begun += 1
        self._playing += 1
        try:
            if self._speed > 0:
                await self._stream(reply, on_delta)
        finally:
            self._playing -= 1
        return reply

    async def _silence(self) -> None:
        begun = -1
        while self._playing or begun != self._begun:
            begun = self._begun
            await asyncio.sleep(_SILENCE)

    async def _stream(self, reply: Reply, on_delta: OnDelta) -> None:
        seconds = reply.seconds / self._speed
        pieces = max(1, min(len(reply.text), round(seconds * _PIECES_PER_SECOND)))
        for number in range(pieces):
            await asyncio.sleep(seconds / pieces)
            start, end = (len(reply.text) * part // pieces for part in (number, number + 1))
            on_delta(Delta(text=reply.text[start:end]))

    async def aclose(self) -> None:
        """There is nothing to close."""
