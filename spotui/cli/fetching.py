"""Fetching an embedded model: asked for first, with progress, on first use."""

import asyncio
import sys
from typing import TYPE_CHECKING

from spotui import locations
from spotui.cli.terminal import paint
from spotui.errors import SpotuiError
from spotui.settings.roles import is_embedded
from spotui.settings.run_settings import RunSettings

if TYPE_CHECKING:
    from spotui.llm.local.pull import PullProgress
    from spotui.llm.local.source import Source
    from spotui.llm.local.store import StoredModel

_MEGA = 1_000_000


def missing_models(settings: RunSettings) -> "list[Source]":
    """The embedded models that these settings need and this machine lacks."""
    embedded = [model for model in settings.models if is_embedded(model)]
    if not embedded:
        return []
    from spotui.llm.local.source import read_source
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
    """How much is fetched; empty when nobody knows."""
    return f"{source.download_bytes / _MEGA:,.0f} MB" if source.download_bytes else ""


def agree(source: "Source", *, yes: bool) -> None:
    """Ask before anything is fetched.

    Raises:
        SpotuiError: The answer is no, or there is nobody to ask.
    """
    facts = [f"{source.title} ({source.model_id})", size_of(source), source.licence or "licence unknown"]
    print(f"{', '.join(fact for fact in facts if fact)}.", file=sys.stderr)
    print(f"It comes from {source.origin}.", file=sys.stderr)
    if yes:
        return
    mend = (
        f"Fetch it with 'spotui models pull {source.model_id} --yes', or choose another model with --model."
    )
    if not sys.stdin.isatty():
        raise SpotuiError(f"{source.model_id} is not on this machine, and there is nobody to ask.", mend)
    print("Fetch it now? [Y/n] ", end="", file=sys.stderr, flush=True)
    if input().strip().lower() not in {"", "y", "yes"}:
        raise SpotuiError(f"{source.model_id} was not fetched.", mend)


def fetch(source: "Source", *, sha256: str | None = None) -> "StoredModel":
    """Fetch a model with progress on standard error; Ctrl-C stops it, and a later call goes on from there.

    Raises:
        PullError: It cannot be fetched.
    """
    from spotui.llm.local.pull import pull
    from spotui.llm.local.store import ModelStore

    show = _bar if sys.stderr.isatty() else _tenths()
    store = ModelStore(locations.models_dir())
    try:
        stored = asyncio.run(pull(source, store, sha256=sha256, on_progress=show))
    finally:
        if sys.stderr.isatty():
            print(file=sys.stderr)
    print(f"{stored.id} is ready.", file=sys.stderr)
    return stored


def _bar(progress: "PullProgress") -> None:
    done = progress.done / _MEGA
    if progress.total:
        filled = 30 * progress.done // progress.total
        text = f"{'█' * filled}{'░' * (30 - filled)} {done:,.0f} of {progress.total / _MEGA:,.0f} MB"
    else:
        text = f"{done:,.0f} MB"
    paint(f"\r{progress.stage:9} {text}", sys.stderr)


class _tenths:  # noqa: N801 - a function with a memory
    """A line at every tenth, for logs."""

    def __init__(self) -> None:
        self._told = -1

    def __call__(self, progress: "PullProgress") -> None:
        if not progress.total:
            return
        tenth = 10 * progress.done // progress.total
        if tenth != self._told:
            self._told = tenth
            print(f"{progress.stage}: {tenth * 10}%", file=sys.stderr, flush=True)
