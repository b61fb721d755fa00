"""What chat templates leave around an answer: ends of turns, boxes, and tags behind the thinking.

A server that knows a model's template takes these off. Others pass them on, where an exact comparison fails
for them and a judge reads them. Marks that the question itself speaks of are part of the answer.
"""

import re
from collections.abc import Sequence
from typing import Final

from spotui.domain.lazy_pattern import LazyPattern
from spotui.domain.messages import Message

_ENDS: Final = (
    *("<|im_end|>", "<|eot_id|>", "<|eom_id|>", "<|end|>", "<|return|>", "<|endoftext|>", "<|end_of_text|>"),
    *("<|END_OF_TURN_TOKEN|>", "<|END_RESPONSE|>", "<|end_of_solution|>", "<|user|>", "<end_of_turn>"),
    *("<turn|>", "<｜end▁of▁sentence｜>", "<eos>", "</s>", "[unused10]", "[END FINAL RESPONSE]"),
)
"""Llama, Qwen, Phi, gpt-oss, GPT-2, Command, Sky-T1, GLM, Gemma, DeepSeek, Mistral, openPangu, Apriel."""

_OPENINGS: Final = ("<|START_RESPONSE|>", "<|begin_of_solution|>")
_BOX: Final = LazyPattern(r"<\|(?:begin|end)_of_box\|>")  # GLM-4.5V

# Hunyuan, Granite 3.3, ERNIE 4.5, Marco-o1 and Reflection put their answer behind the thinking into a tag.
_TAG: Final = LazyPattern(r"<(answer|response|output)>[ \t]*\n?", re.IGNORECASE)

_MOST_ENDS: Final = 4
_TAIL: Final = 100


def without_leftovers(text: str, messages: Sequence[Message], *, has_reasoned: bool) -> str:
    """The answer without what its model's chat template leaves around it.

    Args:
        text: The answer, without its reasoning.
        messages: What was asked: what stands there is kept.
        has_reasoned: Whether reasoning came before the answer; tags of ordinary words mean nothing without.
    """
    if not any(sign in text for sign in "<["):
        return text
    asked = _Asked(messages)
    text = _trimmed(text, asked)
    if "_of_box|>" in text and not asked.speak_of("_of_box|>"):
        text = _BOX.sub("", text)
    if has_reasoned and (opening := _TAG.match(whole := text.strip())) is not None:
        tag = opening[1].lower()
        closing, inner = f"</{tag}>", whole[opening.end() :]
        is_one = inner[-len(closing) :].lower() == closing and inner.lower().count(closing) == 1
        if is_one and not (asked.speak_of(f"<{tag}") or asked.speak_of(f"{tag} tag")):
            return _BOX.sub("", inner[: -len(closing)].rstrip())
    return text


class _Asked:
    """What was asked, put together only when it is needed."""

    def __init__(self, messages: Sequence[Message]) -> None:
        self._messages = messages
        self._text: str | None = None

    def speak_of(self, mark: str) -> bool:
        if self._text is None:
            self._text = "\n".join(one.content for one in self._messages).lower()
        return mark.lower() in self._text


def _trimmed(text: str, asked: _Asked) -> str:
    """The text without an opening at its start and the ends of turns at its end."""
    start = text.lstrip()
    opening = next((one for one in _OPENINGS if start.startswith(one)), None)
    if opening is not None and not asked.speak_of(opening):
        text = start[len(opening) :].lstrip()
    for _ in range(_MOST_ENDS):
        tail = text[-_TAIL:].rstrip()
        end = next((one for one in _ENDS if tail.endswith(one)), None)
        # Struck text in HTML ends like one of them.
        if end is None or asked.speak_of(end) or (end == "</s>" and "<s>" in text):
            break
        text = text.rstrip().removesuffix(end).rstrip()
    return text
