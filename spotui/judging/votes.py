"""Reading a judge's reply as a vote."""

import re
from typing import Literal

from spotui.judging.ballots import Order
from spotui.tags import last_tagged, without_tagged

Choice = Literal["win", "loss", "tie", "void"]
Side = Literal["A", "B", "tie"]

_WORD = re.compile(r"[a-z]+|[\u4e00-\u9fff]+|\w")
_FILLERS = frozenset(
    (
        *("answer", "answers", "assistant", "better", "best", "choice", "choose", "i", "is"),
        *("of", "option", "response", "set", "the", "wins", "winner"),
        *("回答", "答案", "助手", "选项", "模型", "选", "选择", "我选", "我选择"),
        *("的回答", "是", "更好", "更佳", "较好", "胜", "胜出", "获胜"),
    )
)
_TIES = frozenset(
    (
        *("tie", "tied", "draw", "equal", "neither", "both", "none"),
        *("平局", "平手", "一样", "一样好", "不分上下", "都不是"),
    )
)
_CHOICE = re.compile(r"<choose\s*>", re.IGNORECASE)
_PAIR = re.compile(r"<choose\s*>((?:(?!<choose\s*>).)*?)</choose\s*>", re.IGNORECASE | re.DOTALL)
_ANALYSES = ("analyse", "analyze", "analysis")


def read_side(reply: str) -> Side | None:
    """The side a reply chooses, or None when it makes no clear choice.

    The last complete choose tag outside the analysis decides, or the last one that was opened: what an
    analysis quotes is no choice. Without a tag, a reply whose last line is nothing but a choice is clear
    enough.
    """
    for tag in _ANALYSES:
        reply = without_tagged(reply, tag)
    if any(f"<{tag}>" in reply.lower() for tag in _ANALYSES):
        return _side_after_open_analysis(reply)
    if pairs := _PAIR.findall(reply):
        return _side(pairs[-1])
    if opened := list(_CHOICE.finditer(reply)):
        return _side(reply[opened[-1].end() :])
    lines = [line for line in reply.splitlines() if _WORD.search(line.lower())]
    return _side(lines[-1]) if lines else None


def _side_after_open_analysis(reply: str) -> Side | None:
    """The choice of a judge that never closed its analysis: only one that begins a line is its own."""
    starts = [match.start() for match in _CHOICE.finditer(reply)]
    own = [start for start in starts if not reply[reply.rfind("\n", 0, start) + 1 : start].strip()]
    return _side(last_tagged(reply[own[-1] :], "choose") or "") if own else None


def read_vote(reply: str, order: Order) -> Choice:
    """The vote in a reply, from the candidate's side; void when it makes no clear choice."""
    side = read_side(reply)
    if side is None:
        return "void"
    if side == "tie":
        return "tie"
    return "win" if (side == "B") == (order == "AB") else "loss"


def read_reason(reply: str) -> str:
    """What the judge gave as its evidence; the whole reply when it did not tag any."""
    tagged = last_tagged(reply, "analyse")
    return reply.strip() if tagged is None else tagged


def _side(text: str) -> Side | None:
    words = [word for word in _WORD.findall(text.lower()) if word not in _FILLERS]
    match words:
        case ["a"]:
            return "A"
        case ["b"]:
            return "B"
        case [tie] | ["it", tie] | ["a", tie] | ["it", "a", tie] if tie in _TIES:
            return "tie"
        case _:
            return None
