"""Propose: a new prompt from the optimizer, in a form that can be used."""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Final

import msgspec

from spotui.domain.calls import FinishReason, Reply
from spotui.domain.events import CandidateRefused
from spotui.domain.messages import user
from spotui.domain.records import CallKey
from spotui.domain.tags import is_balanced
from spotui.domain.text import count_words, short
from spotui.engine.context import Context
from spotui.engine.task import STAND_IN, Candidate
from spotui.lang import N_, _
from spotui.llm.local.grammar import tagged_grammar
from spotui.llm.protocol import lacks_answer, why_missing

if TYPE_CHECKING:
    from spotui.engine.copies import CopyGuard

PARTS: Final = ("analyse", "modification", "prompt")
"""The form of a proposal; every method asks for it."""

MOST_WORDS = 240
CHARACTERS_A_WORD = 8
"""How long a prompt a model that is bound by a grammar may write."""

COPY_SHOWN: Final = 100
"""Characters of a copied passage that are quoted."""

_CUT: Final[Mapping[FinishReason, str]] = {
    "length": N_("cut by the length limit"),
    "content_filter": N_("stopped by a content filter"),
}

_PLACEHOLDER: Final = re.compile(r"\s*(?:\[[^][\n]{1,60}\]|【[^】\n]{1,60}】|<[^<>\n]{1,60}>)[.。\s]*")

_ADVICE: Final = (
    "The optimizer reads prompts with what came of them: use fewer or shorter questions (--sample; in GPO a "
    "shorter trajectory), a lower max_tokens of the executor, or an optimizer with a longer context window "
    "or another filter."
)


class Refused(msgspec.Struct, frozen=True):
    """A proposal in a form that can be used, which the copy guard does not let pass.

    Attributes:
        candidate: The proposal.
        why: What it copied, which ends no sentence.
    """

    candidate: Candidate
    why: str


class Proposer:
    """Asks the optimizer for candidates.

    Args:
        context: What it works with.
    """

    def __init__(self, context: Context) -> None:
        self._asker = context.asker
        self._repair = context.meta["spo_repair"]
        self._hinted = context.meta["propose_hinted"]
        self._decisions = context.decisions
        self._task = context.task
        self._word_limit = context.task.word_limit
        self._emit = context.emit
        self._guard: CopyGuard | None = None
        if context.task.guards_copies:
            from spotui.engine import copies

            self._guard = copies.CopyGuard(context.task)
        self._starts = list(context.task.starts)

    async def propose(
        self,
        number: int,
        meta: str,
        parent: int,
        bases: Sequence[str],
        known: Mapping[str, int],
        *,
        index: int = 0,
        temperature: float | None = None,
        check: Callable[[str], str] = lambda _: "",
        put: Callable[[str], str] = lambda new: new,
    ) -> Candidate | Refused | None:
        """Ask for one candidate, and once more when the first cannot be used.

        A person's hint that is in force is put above the meta-prompt.

        While the task has prompts to start from, the next of them is the candidate, and nobody is asked.

        Args:
            number: The round the candidate is for.
            meta: The filled meta-prompt.
            parent: The round whose prompt it starts from.
            bases: The prompts it is made from.
            known: Prompts that were tried, folded by `fold`, with their rounds; none is tried again.
            index: Which of several that are asked for at once.
            temperature: The optimizer's own when None.
            check: What else is wrong with a prompt, one sentence, or an empty text.
            put: Puts the new prompt among the others, where a program has several.

        Returns:
            The candidate, or None when both replies were unusable; a second one that copies a row is refused.
        """
        if (start := self._next_start(number, known, check)) is not None:
            return start
        if hint := self._decisions.hint_for(number):
            meta = self._hinted.render(question=meta, hint=hint)
        grammar = None
        if self._asker.takes_grammar("optimizer"):
            grammar = tagged_grammar(proposal_lengths(self._word_limit), refused=known)
        request = self._asker.request("optimizer", [user(meta)], temperature=temperature, grammar=grammar)
        for attempt in (1, 2):
            key = CallKey(number, "propose", index, attempt)
            reply = await self._asker.ask(key, request, "optimizer", advice=_ADVICE)
            parts = self._asker.read(reply, *PARTS, asked=meta)
            new = parts.get("prompt", "")
            prompt = put(new) if new else ""
            problem = (
                form_problem(reply, parts) or self._words_problem(new, bases) or self._length_problem(new)
            )
            problem = problem or self._problem(prompt, known) or check(prompt)
            if not problem:
                candidate = Candidate(
                    round=number,
                    prompt=prompt,
                    parent=parent,
                    modification=" ".join(parts.get("modification", "").split()),
                    reasoning=parts.get("analyse", ""),
                )
                copied = self._guard.copied(new, bases) if self._guard is not None else ""
                if not copied:
                    return candidate
                words = short(copied, COPY_SHOWN)
                if attempt == 2:
                    return Refused(candidate, _('it copies an example: "{words}"', words=words))
                problem = _(
                    'Its prompt copies an example: "{words}". Write what is right for every input, in other '
                    "words.",
                    words=words,
                )
            why = why_missing(reply) if lacks_answer(reply) else problem
            self._emit(CandidateRefused(round=number, why=why, final=attempt == 2, index=index))
            repair = self._repair.render(problem=self._asker.in_words(problem))
            request = self._asker.again(request, reply, repair)
        return None

    def _next_start(
        self, number: int, known: Mapping[str, int], check: Callable[[str], str]
    ) -> Candidate | None:
        """The next prompt to start from that can be used here; the others are left out for good."""
        while self._starts:
            start = self._starts.pop(0)
            if not (self._problem(start.prompt, known) or check(start.prompt)):
                return Candidate(round=number, prompt=start.prompt, parent=1, modification=start.modification)
        return None

    def _problem(self, prompt: str, known: Mapping[str, int]) -> str:
        if (tried := known.get(fold(prompt))) is not None:
            return _("Its prompt is the same as that of round {tried}.", tried=tried)
        return self._task.slot_fault(prompt)

    def _words_problem(self, prompt: str, bases: Sequence[str]) -> str:
        """What is wrong with a prompt of signs or of a placeholder alone, which earlier editions tried."""
        if self._task.edition > 5 and not any(map(str.isalnum, prompt)):
            return _("Its prompt has no words.")
        if self._task.edition < 7 or any(prompt.strip() in base for base in bases):
            return ""
        if _PLACEHOLDER.fullmatch(prompt):
            return _("Its prompt is only a placeholder, {prompt}.", prompt=prompt.strip())
        stand_in = self._task.say(STAND_IN)
        if stand_in in prompt and not any(stand_in in base for base in bases):
            return _(
                "Its prompt holds {stand_in}, which only shows where the prompt stands in the examples.",
                stand_in=stand_in,
            )
        return ""

    def _length_problem(self, prompt: str) -> str:
        if self._word_limit is None or (words := count_words(prompt)) <= self._word_limit:
            return ""
        return _(
            "Its prompt has {words} words, but {word_limit} are allowed.",
            words=words,
            word_limit=self._word_limit,
        )


def form_problem(reply: Reply, parts: Mapping[str, str]) -> str:
    """What is wrong with the form of a proposal, one sentence, or an empty text."""
    prompt = parts.get("prompt")
    if reply.finish_reason in _CUT and not is_balanced(reply.text, "prompt"):
        if reply.is_loop:
            return _("It repeats one passage without end.")
        return _("It was {cut} before the prompt was complete.", cut=_(_CUT[reply.finish_reason]))
    if prompt is None:
        return _("It has no complete prompt tag.")
    if not prompt:
        return _("Its prompt tag is empty.")
    return "" if is_balanced(prompt, "prompt") else _("Its opening and closing prompt tags do not match.")


def fold(prompt: str) -> str:
    """A prompt without what makes no difference: white space and case."""
    return " ".join(prompt.split()).casefold()


def proposal_lengths(word_limit: int | None) -> dict[str, int]:
    """Characters that a model bound by a grammar may write in each part."""
    words = min(MOST_WORDS, word_limit or MOST_WORDS)
    return {"analyse": 600, "modification": 250, "prompt": words * CHARACTERS_A_WORD}
