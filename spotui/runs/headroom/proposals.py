"""The optimizer's part in a headroom measurement: two prompts."""

from collections.abc import Sequence
from typing import Final

from spotui.domain.tags import quote_tags
from spotui.engine import Candidate, fold, together
from spotui.engine.context import Context
from spotui.engine.propose import Proposer
from spotui.lang import _
from spotui.methods.method import FENCES
from spotui.runs.headroom.probes import Probe

SEED, AGAIN, PROPOSED = 1, 2, 3
"""Rounds that calls are filed under; those of a prompt that is scored differ in what they ask."""

_FOCUS: Final = (
    "Make the one change to the current prompt that would put most of these answers right.",
    (
        "Write a new prompt for this task from scratch: say what has to be done, how, and which form the "
        "answer must have."
    ),
)


class Proposals:
    """The optimizer's probes.

    Args:
        context: What it is asked with.
    """

    def __init__(self, context: Context) -> None:
        self._context = context
        self._proposer = Proposer(context)

    async def ask(self, examples: str, probes: Sequence[Probe]) -> list[Probe]:
        """Two prompts that are none of the probes; fewer where the optimizer brings no usable ones."""
        context, task = self._context, self._context.task
        known = {fold(one): SEED for one in (task.prompt, *(each.prompt for each in probes))}
        part = task.part(AGAIN)
        limits = []
        if task.word_limit is not None:
            limits.append(task.say("It may have at most {limit} words.", limit=task.word_limit))
        if task.slots:
            slots = " ".join(f"{{{name}}}" for name in sorted(task.slots))
            limits.append(task.say("It must hold {slots} as written.", slots=slots))
        metas = [
            context.meta["headroom_propose"].render(
                task=quote_tags(task.description, FENCES),
                current=quote_tags(task.shown_prompt(part.of(task.prompt)), FENCES),
                examples=examples,
                change="\n".join([task.say(focus), *limits, *task.beside(part, task.prompt)]),
            )
            for focus in _FOCUS
        ]
        found = await together(
            [
                self._proposer.propose(
                    PROPOSED,
                    meta,
                    SEED,
                    (task.prompt,),
                    known,
                    index=index,
                    put=lambda new, part=part: part.put(task.prompt, new),  # type: ignore[misc]
                )
                for index, meta in enumerate(metas)
            ]
        )
        fresh: dict[str, Probe] = {}
        for number, one in enumerate(found, 1):
            if isinstance(one, Candidate):
                change = one.modification or _("A proposal of the optimizer.")
                fresh.setdefault(fold(one.prompt), Probe(f"proposal {number}", one.prompt, change))
        return list(fresh.values())
