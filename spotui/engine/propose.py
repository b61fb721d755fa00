"""Propose: a new prompt from the optimizer, in a form that can be used."""

from collections.abc import Callable

from spotui.engine.asking import Asker, repair, user
from spotui.engine.task import Candidate
from spotui.events import CandidateRefused, Event
from spotui.llm.protocol import Reply
from spotui.meta_prompts import MetaPrompt
from spotui.tags import last_tagged
from spotui.words import count_words
from spotui.workspace.lines import CallKey

TAGS = ("analyse", "modification", "prompt")


class Proposer:
    """Asks the optimizer for candidates.

    Args:
        asker: The way to the model.
        repair_prompt: What to say when a proposal cannot be used.
        grammar: Makes a grammar that binds a reply to tags, for models that take one.
        word_limit: Words a prompt may have at most, or None.
        emit: Told of every refused proposal.
    """

    def __init__(
        self,
        asker: Asker,
        repair_prompt: MetaPrompt,
        *,
        grammar: Callable[[tuple[str, ...]], str],
        word_limit: int | None,
        emit: Callable[[Event], None],
    ) -> None:
        self._asker = asker
        self._repair = repair_prompt
        self._grammar = grammar
        self._word_limit = word_limit
        self._emit = emit

    async def propose(self, number: int, meta: str, parent: int, known: dict[str, int]) -> Candidate | None:
        """Ask for one candidate, and once more when the first cannot be used.

        Args:
            number: The round the candidate is for.
            meta: The filled meta-prompt.
            parent: The round whose prompt it starts from.
            known: Prompts that were tried, folded by `fold`, with their rounds; none is tried again.

        Returns:
            The candidate, or None when both replies were unusable.
        """
        grammar = self._grammar(TAGS) if self._asker.takes_grammar("optimizer") else None
        messages = [user(meta)]
        for attempt in (1, 2):
            key = CallKey(number, "propose", attempt=attempt)
            reply = await self._asker.ask(key, self._asker.request("optimizer", messages, grammar=grammar))
            prompt = last_tagged(reply.text, "prompt")
            problem = self._problem(reply, prompt, known)
            if prompt is not None and not problem:
                return Candidate(
                    round=number,
                    prompt=prompt,
                    parent=parent,
                    modification=" ".join((last_tagged(reply.text, "modification") or "").split()),
                    reasoning=last_tagged(reply.text, "analyse") or "",
                )
            self._emit(CandidateRefused(round=number, why=problem, final=attempt == 2))
            messages = repair(messages, reply, self._repair.render(problem=problem))
        return None

    def _problem(self, reply: Reply, prompt: str | None, known: dict[str, int]) -> str:
        if prompt is None:
            if reply.finish_reason == "length":
                return "It was cut by the length limit before the prompt was complete."
            return "It has no complete prompt tag."
        if not prompt:
            return "Its prompt tag is empty."
        if (tried := known.get(fold(prompt))) is not None:
            return f"Its prompt is the same as that of round {tried}."
        if self._word_limit is not None and (words := count_words(prompt)) > self._word_limit:
            return f"Its prompt has {words} words, but {self._word_limit} are allowed."
        return ""


def fold(prompt: str) -> str:
    """A prompt without what makes no difference: white space and case."""
    return " ".join(prompt.split()).casefold()
