"""Fetching an embedded model: asked for first, with progress, on first use."""

import asyncio
import shutil
import sys
import time
from collections import deque
from typing import TYPE_CHECKING

from spotui.cli.terminal import paint
from spotui.domain.errors import SpotuiError
from spotui.domain.figures import duration, size
from spotui.domain.text import width
from spotui.lang import _
from spotui.settings import locations
from spotui.settings.table import RunSettings, is_embedded

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from spotui.llm.local.catalog import Source
    from spotui.llm.local.pull import PullProgress
    from spotui.llm.local.store import StoredModel


_MEGA = 1_000_000
_BAR = 20
_PAINT_SECONDS = 0.1
_TICK_SECONDS = 0.5
_LINE_SECONDS = 30.0
_RATE_SECONDS = 15.0
_FEWEST = 2


def missing_models(settings: RunSettings) -> "list[Source]":
    """The embedded models that these settings need and this machine lacks."""
    embedded = [model for model in settings.models if is_embedded(model)]
    if not embedded:
        return []
    from spotui.llm.local.catalog import read_source
    from spotui.llm.local.store import ModelStore

    here = {stored.id for stored in ModelStore(locations.models_dir()).models()}
    return [read_source(model) for model in embedded if model not in here]


def fetch_missing_models(settings: RunSettings, *, yes: bool) -> None:
    """Fetch the embedded models that these settings need and this machine lacks.

    Raises:
        SpotuiError: The user does not want it, or it cannot be fetched.
    """
    for source in missing_models(settings):
        agree(source, yes=yes)
        fetch(source)


def size_of(source: "Source") -> str:
    """How much is fetched; empty when it is unknown."""
    return size(source.download_bytes) if source.download_bytes else ""


def agree(source: "Source", *, yes: bool) -> None:
    """Ask before anything is fetched.

    Raises:
        SpotuiError: The answer is no, or there is nobody to ask.
    """
    facts = [f"{source.title} ({source.model_id})", size_of(source), source.licence or _("licence unknown")]
    print(f"{', '.join(fact for fact in facts if fact)}.", file=sys.stderr)
    print(_("It comes from {origin}.", origin=source.origin), file=sys.stderr)
    if yes:
        return
    hint = _(
        "Fetch it with 'spotui models pull {model_id} --yes', or choose another model with --model.",
        model_id=source.model_id,
    )
    if not sys.stdin.isatty():
        raise SpotuiError(
            _("{model_id} is not on this machine, and there is nobody to ask.", model_id=source.model_id),
            hint,
        )
    print(_("Fetch it now? [Y/n] "), end="", file=sys.stderr, flush=True)
    if input().strip().lower() not in {"", "y", "yes"}:
        raise SpotuiError(_("{model_id} was not fetched.", model_id=source.model_id), hint)


def fetch(source: "Source", *, sha256: str | None = None) -> "StoredModel":
    """Fetch a model with progress on standard error; Ctrl-C stops it, and a later call goes on from there.

    Raises:
        PullError: It cannot be fetched.
    """
    from spotui.llm.local.pull import pull
    from spotui.llm.local.store import ModelStore

    meter = _Meter()
    store = ModelStore(locations.models_dir())
    try:
        stored = asyncio.run(
            _metered(pull(source, store, sha256=sha256, on_progress=meter.take, on_notice=meter.note), meter)
        )
    finally:
        meter.end()
    print(_("{stored} is ready.", stored=stored.id), file=sys.stderr)
    return stored


async def _metered(work: "Coroutine[None, None, StoredModel]", meter: "_Meter") -> "StoredModel":
    """Do the work, and show how far it is also while nothing comes."""
    task = asyncio.create_task(work)
    try:
        while not (await asyncio.wait([task], timeout=_TICK_SECONDS))[0]:
            meter.show()
    finally:
        task.cancel()
        await asyncio.wait([task])
    return task.result()


class _Meter:
    """How far a pull is: a bar on a terminal, a line now and then elsewhere, each with the time left."""

    def __init__(self) -> None:
        self._is_terminal = sys.stderr.isatty()
        self._stage = ""
        self._done, self._total = 0, 0
        self._seen: deque[tuple[float, int]] = deque()
        self._shown_at = self._line_at = float("-inf")
        self._tenth = -1
        self._width = 0

    def take(self, progress: "PullProgress") -> None:
        """Take note of progress, and show it unless that was done just now."""
        now = time.monotonic()
        if progress.stage != self._stage:
            self.end()
            self._stage, self._tenth = progress.stage, -1
            self._shown_at = self._line_at = float("-inf")
            self._seen.clear()
        self._done, self._total = progress.done, progress.total or 0
        self._seen.append((now, progress.done))
        while self._seen[-1][0] - self._seen[0][0] > _RATE_SECONDS:
            self._seen.popleft()
        # What arrives may be a little more than the catalog expects.
        is_whole = progress.total is not None and progress.done >= progress.total
        if is_whole or now - self._shown_at >= _PAINT_SECONDS:
            self.show()

    def show(self) -> None:
        """Show how far it is."""
        now = self._shown_at = time.monotonic()
        if self._is_terminal:
            text = self._text(now) if self._stage else "Starting …"
            paint(f"\r{text.ljust(self._width)}", sys.stderr)
            self._width = len(text)
            return
        tenth = 10 * self._done // self._total if self._total else 0
        if self._stage and (tenth > self._tenth or now - self._line_at >= _LINE_SECONDS):
            self._tenth, self._line_at = tenth, now
            print(self._text(now), file=sys.stderr, flush=True)

    def note(self, text: str) -> None:
        """Print a sentence above the bar, which starts anew."""
        self.end()
        self._stage = ""
        print(text, file=sys.stderr, flush=True)

    def end(self) -> None:
        """Leave the line of a stage that is over."""
        if self._is_terminal and self._width:
            print(file=sys.stderr)
            self._width = 0

    def _text(self, now: float) -> str:
        facts = [f"{self._done / _MEGA:,.0f} MB"]
        if self._total:
            facts = [_("{done:,.0f} of {total:,.0f} MB", done=self._done / _MEGA, total=self._total / _MEGA)]
        if rate := self._rate(now):
            facts.append(f"{rate / _MEGA:,.1f} MB/s")
            left = max(0, self._total - self._done) / rate
            if self._total and self._done < self._total:
                facts.append(_("about {value} left", value=duration(max(1.0, left))))
        elif not self._total or self._done < self._total:
            facts.append(_("waiting for data"))
        share = min(1.0, self._done / self._total) if self._total else 0.0
        begin = f"{self._stage:9}"
        percent = f"{int(100 * share):3}% " if self._total else ""
        if not (self._total and self._is_terminal):
            return begin + percent + ", ".join(facts)
        # A line that is too long for the terminal would begin a new one each time it is painted.
        columns = shutil.get_terminal_size().columns
        while len(facts) > 1 and width(begin + percent + ", ".join(facts)) > columns:
            del facts[1]  # the rate, then the time left
        said = percent + ", ".join(facts)
        length = max(0, min(_BAR, columns - width(begin + said) - 1))
        filled = round(length * share)
        bar = f"{'█' * filled}{'░' * (length - filled)} " if length else ""
        return begin + bar + said

    def _rate(self, now: float) -> float:
        """Bytes a second of late; 0 when nothing came, or too little to tell."""
        if len(self._seen) < _FEWEST or now - self._seen[-1][0] > _RATE_SECONDS:
            return 0.0
        (begun, before), (_, done) = self._seen[0], self._seen[-1]
        return max(0, done - before) / max(now - begun, 0.001)
