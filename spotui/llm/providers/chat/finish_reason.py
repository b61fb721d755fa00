"""Why a model stopped, in the words of many providers."""

import re
from typing import Final, Literal

from spotui.llm.protocol import FinishReason

Ending = FinishReason | Literal["aborted"]

# Protocol buffers and Python enums leak their names: FINISH_REASON_SAFETY, FinishReason.SAFETY.
_ENUM: Final = re.compile(r"^(?:\w+\.|finish_reason_)")
_SAID_NOTHING: Final = frozenset({"", "null", "none", "undefined", "unspecified"})

# Gemini, Anthropic, Bedrock, Azure, Cohere and Zhipu each have their own words; a word that no list holds yet
# is understood by its stem.
_FILTERED: Final = re.compile(
    r"filter|safety|recit|block|prohibit|sensitiv|moderat|guardrail|refus|toxic|polic|censor|pii|copyright"
    r"|violat|inspect|inappropriate|armor|harm|^language$"
)
_CUT: Final = re.compile(
    r"length|max_?(?:\w+_)?tokens|token_?limit|error_limit|context_window|context_limit|truncat|too_long"
)
_ABORTED: Final = re.compile(r"error|abort|cancel|insufficient|time_?out|overload|interrupt|fail|unavailable")
_STOPPED: Final = re.compile(r"stop|eos|eot|end|endoftext|complete|finish|done|normal")


def read_ending(written: object) -> Ending | None:
    """The meaning of a `finish_reason`; None when it gives no reason yet."""
    if not isinstance(written, str):
        return None
    reason = re.sub(r"[\s-]+", "_", _ENUM.sub("", written.strip().lower()))
    if reason in _SAID_NOTHING:
        return None
    if _FILTERED.search(reason):
        return "content_filter"
    if _CUT.search(reason):
        return "length"
    if _ABORTED.search(reason):
        return "aborted"
    return "stop" if _STOPPED.match(reason) else "other"
