"""What every verb works with."""

from collections.abc import Callable
from dataclasses import dataclass

from spotui.engine.asking import Asker
from spotui.engine.decisions import Decisions
from spotui.engine.task import Task
from spotui.events import Event
from spotui.llm.gate import Gate
from spotui.meta_prompts import MetaPrompts


@dataclass(frozen=True)
class Context:
    """The surroundings of one run's verbs.

    Attributes:
        task: What the run works on.
        meta: The meta-prompts.
        asker: The way to the models.
        gate: Where the run pauses.
        decisions: What people decided, and where their votes arrive.
        emit: Told what happens.
    """

    task: Task
    meta: MetaPrompts
    asker: Asker
    gate: Gate
    decisions: Decisions
    emit: Callable[[Event], None]
