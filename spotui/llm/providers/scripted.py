"""A provider that reads its replies from a file: for tests, demonstrations and dry runs.

The file is a YAML list of rules; the first whose `when` stands in the last message answers:

    - when: text to look for      # missing: any message
      replies: [one, two]         # in turn, from the start again after the last
      seconds: 0.5                # how long a reply takes, 0 when missing
"""

import asyncio
from collections import Counter
from pathlib import Path
from typing import Annotated

import msgspec
import yaml

from spotui.llm.errors import BadRequestError
from spotui.llm.protocol import Delta, OnDelta, Reply, Request, Usage
from spotui.workspace.whole_text import whole_text

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
            what = f"The script {path} cannot be used: {' '.join(str(error).split())}."
            raise BadRequestError(what, "It is a YAML list of rules with 'when' and 'replies'.") from None

    async def complete(self, request: Request, on_delta: OnDelta) -> Reply:
        """The next reply of the first rule that fits; see `Provider.complete`."""
        if request.embed:
            raise BadRequestError(
                f"The script {self._path} has replies, and no embeddings.", "Use another embedding model."
            )
        asked = request.messages[-1].content
        found = next(((n, one) for n, one in enumerate(self._rules) if one.when in asked), None)
        if found is None:
            raise BadRequestError(
                f"The script {self._path} has no rule for: {asked[:80]!r}.",
                "Add one without 'when' at its end.",
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
