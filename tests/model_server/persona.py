"""A model that can do all that SPO asks of one, the same way every time."""

import json
import re
from collections.abc import Callable
from hashlib import sha256

from tests.model_server.scripted import JsonObject, ReplyFunction, Scripted, conversation
from tests.model_server.server import hashed_reply

_LITERAL = re.compile(r'"(?:[^"\\]|\\.)*"')


class Persona:
    """Answers each kind of request with a function of its own.

    Args:
        classify: Names what a request asks for: `propose`, `judge`, `likelihood` or `execute`.
        propose: Replaces the proposal of a numbered prompt.
        judge: Replaces a choice of A or B that depends on the messages alone.
        likelihood: Replaces repeating the literal of the request's grammar, with log-probabilities.
        execute: Replaces an answer of forty words.
    """

    def __init__(
        self,
        classify: Callable[[JsonObject], str],
        *,
        propose: ReplyFunction | None = None,
        judge: ReplyFunction | None = None,
        likelihood: ReplyFunction | None = None,
        execute: ReplyFunction | None = None,
    ) -> None:
        self._classify = classify
        self._acts: dict[str, ReplyFunction] = {
            "propose": propose or proposal,
            "judge": judge or choice,
            "likelihood": likelihood or forced,
            "execute": execute or hashed_reply,
        }

    def __call__(self, request: JsonObject) -> str | Scripted:
        return self._acts[self._classify(request)](request)


def proposal(request: JsonObject) -> str:
    """A new prompt with a number that depends on the messages."""
    number = _digest(request)[:8]
    return (
        f"<analyse>The answers could be clearer in {number} ways.</analyse>\n"
        f"<modification>Ask for method {number}.</modification>\n"
        f"<prompt>Solve the task by method {number}, and check the result before you answer.</prompt>"
    )


def choice(request: JsonObject) -> str:
    """A or B, by the messages' hash."""
    letter = "AB"[int(_digest(request), 16) % 2]
    return (
        f"<analyse>Set {letter} follows the requirements more closely.</analyse>\n<choose>{letter}</choose>"
    )


def forced(request: JsonObject) -> Scripted:
    """The literal that a grammar leaves no way around, a word a token."""
    literals = _LITERAL.findall(str(request.get("grammar", "")))
    text = "".join(json.loads(literal) for literal in literals)
    pieces = tuple(re.findall(r"\S+\s*|\s+", text))
    digest = bytes.fromhex(_digest(request))
    return Scripted(pieces=pieces, logprobs=tuple(-digest[n % 32] / 64 for n in range(len(pieces))))


def _digest(request: JsonObject) -> str:
    return sha256(f"{conversation(request)}\n{request.get('grammar', '')}".encode()).hexdigest()
