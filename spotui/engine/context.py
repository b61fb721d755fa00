"""What every verb works with."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from spotui.engine.asking import Asker
from spotui.engine.decisions import Decisions
from spotui.engine.recorded_marks import RecordedMarks
from spotui.engine.task import Task
from spotui.events import Event, Noticed
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
        marks: The marks that a custom metric gave before.
    """

    task: Task
    meta: MetaPrompts
    asker: Asker
    gate: Gate
    decisions: Decisions
    emit: Callable[[Event], None]
    marks: RecordedMarks = field(default_factory=RecordedMarks)
    _failed: set[str] = field(default_factory=set)

    @contextmanager
    def statistic(self, name: str) -> Iterator[None]:
        """Compute a figure that no decision depends on: a fault in it is noticed once, and the run continues.

        Args:
            name: The figure, as the subject of a sentence.
        """
        try:
            yield
        except (ArithmeticError, ValueError) as error:
            if name not in self._failed:
                self._failed.add(name)
                text = f"{name} could not be computed: {error}. The run continues without it."
                self.emit(Noticed(text=text, level="warning"))
