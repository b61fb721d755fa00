"""Reading a judge's reply as a vote."""

import json
import re
import unicodedata
from functools import lru_cache
from typing import Literal

from spotui.judging.ballots import Order
from spotui.tags import last_tagged, without_tagged

Choice = Literal["win", "loss", "tie", "void"]
Side = Literal["A", "B", "tie"]

_TAG = re.compile(r"</?\w+\s*>")
_WORD = re.compile(r"[a-z\u00c0-\u024f]+|[\u4e00-\u9fff]+|[^\W\d_a-z\u00c0-\u024f\u4e00-\u9fff]+|\w")
"""A word: of Latin letters, of Chinese characters, or of another script's."""

_LETTERS = str.maketrans({"а": "a", "в": "b", "α": "a", "β": "b"})
"""Letters that look like A and B in other alphabets, and are written for them."""

_FILLERS = frozenset(
    (
        *("answer", "answers", "assistant", "better", "best", "choice", "choose", "i", "is"),
        *("of", "option", "response", "set", "the", "wins", "winner"),
        *("回答", "答案", "助手", "选项", "模型", "选", "选择", "我选", "我选择"),
        *("的回答", "是", "更好", "更佳", "较好", "胜", "胜出", "获胜", "は", "の", "です", "回答は"),
        *("antwort", "réponse", "respuesta", "resposta", "risposta", "ответ", "вариант", "답변", "답"),
    )
)
_TIES = frozenset(
    (
        *("tie", "tied", "draw", "equal", "neither", "both", "none"),
        *("平局", "平手", "一样", "一样好", "不分上下", "都不是", "引き分け", "무승부", "ничья"),
        *("unentschieden", "gleichstand", "égalité", "empate", "pareggio"),
    )
)
_CHOICE = re.compile(r"<choose\s*>", re.IGNORECASE)
_PAIR = re.compile(r"<choose\s*>((?:(?!<choose\s*>).)*?)</choose\s*>", re.IGNORECASE | re.DOTALL)
_ANALYSES = ("think", "analyse", "analyze", "analysis")
_JSON = re.compile(r"(?:```\w*\s*)?(\{.*\})\s*(?:```)?", re.DOTALL)
_CHOICE_KEY, _EVIDENCE_KEY = "choice", "evidence"


@lru_cache(maxsize=32)  # a reply is read once to see whether there is a vote, and once to count it
def read_side(reply: str) -> Side | None:
    """The side a reply chooses, or None when it makes no clear choice.

    The last complete choose tag outside the analysis decides, or the last one that was opened: what an
    analysis quotes is no choice, and neither is what stands in the middle of a sentence. A reply that is a
    JSON object decides by its `choice`. Without any of these, a reply whose last line is nothing but a choice
    is clear enough.
    """
    if (fields := _json_object(reply)) is not None:
        choice = fields.get(_CHOICE_KEY)
        return _side(choice) if isinstance(choice, str) else None
    for tag in _ANALYSES:
        reply = without_tagged(reply, tag)
    if any(f"<{tag}>" in reply.lower() for tag in _ANALYSES):
        return _side_after_open_analysis(reply)
    if pairs := list(_PAIR.finditer(reply)):
        own = [pair for pair in pairs if not _in_a_sentence(reply, pair)]
        return _side(own[-1].group(1)) if own else None
    if opened := list(_CHOICE.finditer(reply)):
        return _side(reply[opened[-1].end() :])
    lines = [line for line in reply.splitlines() if _WORD.search(line.lower())]
    return _side(lines[-1]) if lines else None


def _in_a_sentence(reply: str, pair: re.Match[str]) -> bool:
    """Whether words stand before and behind it on its line: a quotation."""
    before = reply[reply.rfind("\n", 0, pair.start()) + 1 : pair.start()]
    behind = reply[pair.end() :].partition("\n")[0]
    return all(_WORD.search(_TAG.sub("", part).lower()) for part in (before, behind))


def _side_after_open_analysis(reply: str) -> Side | None:
    """The choice of a judge that never closed its analysis: only one that ends the reply is its own."""
    pairs = list(_PAIR.finditer(reply))
    if not pairs or reply[pairs[-1].end() :].strip() or _in_a_sentence(reply, pairs[-1]):
        return None
    before = reply[reply.rfind("\n", 0, pairs[-1].start()) + 1 : pairs[-1].start()]
    return None if before.strip() else _side(pairs[-1].group(1))


def _json_object(reply: str) -> dict[str, object] | None:
    """The JSON object that a reply is, if it is one and nothing else."""
    found = _JSON.fullmatch(without_tagged(reply, "think").strip())
    if found is None:
        return None
    try:
        fields = json.loads(found.group(1), strict=False)
    except (ValueError, RecursionError):
        return None
    return fields if isinstance(fields, dict) else None


def read_vote(reply: str, order: Order) -> Choice:
    """The vote in a reply, from the candidate's side; void when it makes no clear choice."""
    side = read_side(reply)
    if side is None:
        return "void"
    if side == "tie":
        return "tie"
    return "win" if (side == "B") == (order == "AB") else "loss"


def read_reason(reply: str) -> str:
    """What the judge gave as its evidence; the whole reply when it did not mark any."""
    if (fields := _json_object(reply)) is not None and isinstance(said := fields.get(_EVIDENCE_KEY), str):
        return said.strip()
    tagged = last_tagged(reply, "analyse")
    return reply.strip() if tagged is None else tagged


def _side(text: str) -> Side | None:
    plain = unicodedata.normalize("NFKC", text).lower()
    words = [word for word in _WORD.findall(plain) if word not in _FILLERS]
    words = [word.translate(_LETTERS) if len(word) == 1 else word for word in words]
    match words:
        case ["a"]:
            return "A"
        case ["b"]:
            return "B"
        case [tie] | ["it", tie] | ["a", tie] | ["it", "a", tie] if tie in _TIES:
            return "tie"
        case _:
            return None
