"""The speed of models, as the newest runs of a workspace have measured it."""

import contextlib
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

import msgspec

from spotui.domain.errors import SpotuiError
from spotui.workspace.files import reading
from spotui.workspace.projects import Workspace

_RUNS_MEASURED: Final = 5
_BYTES_MEASURED: Final = 256 * 1024


class _Asked(msgspec.Struct):
    model: str


class _Usage(msgspec.Struct):
    completion_tokens: int = 0


class _Reply(msgspec.Struct):
    seconds: float = 0.0
    usage: _Usage = msgspec.field(default_factory=_Usage)


class _Call(msgspec.Struct):
    """What a call in a journal says of the speed of its model."""

    request: _Asked
    reply: _Reply


def measured_paces(workspace: Workspace, models: Iterable[str]) -> dict[str, tuple[float, float]]:
    """The speed of each model in the newest runs of a workspace.

    Args:
        workspace: With the runs; one that cannot be read has measured nothing.
        models: The models.

    Returns:
        For each model that a run has asked: seconds to the start of a reply, and tokens a second after that.
    """
    calls: dict[str, list[tuple[int, float]]] = {model: [] for model in models}
    try:
        names = workspace.names()[-_RUNS_MEASURED:]
    except SpotuiError:
        return {}
    decoder = msgspec.json.Decoder(_Call)
    for name in names:
        for raw in _last_lines(workspace.project(name).journal):
            with contextlib.suppress(msgspec.DecodeError, UnicodeDecodeError, RecursionError):
                call = decoder.decode(raw)
                if call.request.model in calls and call.reply.seconds > 0:
                    calls[call.request.model].append((call.reply.usage.completion_tokens, call.reply.seconds))
    return {model: _pace(found) for model, found in calls.items() if sum(tokens for tokens, _ in found)}


def _last_lines(journal: Path) -> list[bytes]:
    """The newest calls of a journal; it may be long."""
    try:
        with reading(journal) as file:
            size = file.seek(0, 2)
            file.seek(max(0, size - _BYTES_MEASURED))
            newest = file.read(_BYTES_MEASURED)
            return [line for line in newest.splitlines() if line.startswith(b'{"kind":"call",')]
    except OSError:
        return []


def _pace(calls: Sequence[tuple[int, float]]) -> tuple[float, float]:
    """The line through tokens and seconds that fits best; without a slope, all is in the tokens a second."""
    tokens, seconds = sum(one for one, _ in calls), sum(one for _, one in calls)
    mean_tokens, mean_seconds = tokens / len(calls), seconds / len(calls)
    spread = sum((one - mean_tokens) ** 2 for one, _ in calls)
    slope = sum((t - mean_tokens) * (s - mean_seconds) for t, s in calls) / spread if spread else 0.0
    wait = mean_seconds - slope * mean_tokens
    return (wait, 1 / slope) if slope > 0 and wait >= 0 else (0.0, tokens / seconds)
