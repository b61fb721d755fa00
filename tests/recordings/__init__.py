"""Replies of real models, recorded once and played back in tests."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

from tests.model_server import JsonObject, Scripted, conversation

FOLDER = Path(__file__).parent
Replies = dict[str, list[dict[str, str]]]
"""What was answered to each conversation, and why that ended, the first time, the second time, and so on."""


def load(name: str) -> tuple[dict[str, Any], Replies]:
    """A recording: what the runs in it were started with, and the replies."""
    recorded = json.loads((FOLDER / f"{name}.json").read_text("utf-8"))
    return recorded["runs"], recorded["replies"]


class Playback:
    """A model that says what was recorded; for one run at a time.

    Args:
        replies: The recording.
    """

    def __init__(self, replies: Replies) -> None:
        self._replies = replies
        self._asked: Counter[str] = Counter()

    def __call__(self, request: JsonObject) -> Scripted:
        text = conversation(request)
        said = self._replies[text]
        self._asked[text] += 1
        return Scripted(**said[(self._asked[text] - 1) % len(said)])  # type: ignore[arg-type]
