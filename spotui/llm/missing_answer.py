"""Why a reply holds no answer that can be used, in words for a person."""

from typing import Final

from spotui.llm.protocol import Reply

_LONGEST_QUOTE: Final = 200


def lacks_answer(reply: Reply) -> bool:
    """Whether a reply is empty, or only what a content filter left of an answer."""
    return not reply.text.strip() or reply.finish_reason == "content_filter"


def why_missing(reply: Reply) -> str:
    """Why a reply lacks an answer, one sentence."""
    if reply.rejected:
        return reply.rejected
    if reply.refusal:
        return f'The model refused to answer: "{_short(reply.refusal)}".'
    if reply.finish_reason == "content_filter":
        part = "in the middle" if reply.text.strip() else "before its first word"
        return f"A content filter stopped the answer {part}."
    if _reasoned(reply):
        return f"The reply has {_reasoning_tokens(reply)} of reasoning and no answer."
    if reply.finish_reason == "length":
        return "The length limit ended the answer before its first word."
    return "The answer is empty."


def hint_for_missing(reply: Reply) -> str:
    """What to do about a reply that lacks an answer, one sentence."""
    if reply.refusal or reply.rejected or reply.finish_reason == "content_filter":
        return "Change the text that is refused, or use another model."
    if reply.finish_reason == "length":
        less = ", or lower its reasoning effort" if _reasoned(reply) else ""
        return f"Raise max_tokens for this model{less}."
    if _reasoned(reply):
        return "Check the server's reasoning parser, which may take the answer for reasoning."
    return "Try another model, or ask in another way."


def _reasoned(reply: Reply) -> bool:
    return bool(reply.reasoning or reply.usage.reasoning_tokens)


def _reasoning_tokens(reply: Reply) -> str:
    usage = reply.usage
    # A reply without an answer is all reasoning, also where nobody counted that apart.
    tokens = usage.reasoning_tokens or usage.completion_tokens
    return f"{'~' if usage.estimated else ''}{tokens:,} token{'' if tokens == 1 else 's'}"


def _short(text: str) -> str:
    line = " ".join(text.split()).rstrip(".")
    return line if len(line) <= _LONGEST_QUOTE else line[: _LONGEST_QUOTE - 1].rstrip() + "…"
