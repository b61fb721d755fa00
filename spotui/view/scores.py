"""What is known of a round of a method that scores prompts."""

from dataclasses import dataclass, field

from spotui.events import (
    BeamChosen,
    CandidateProposed,
    CandidateScored,
    Event,
    NoteWritten,
    PastShown,
)


@dataclass
class Scores:
    """What a round tried, what its prompts scored, and what the optimizer was shown for it.

    Attributes:
        proposed: The candidates by their prompts, in the order they were proposed.
        found: What each prompt scored on the rows that prompts are chosen by; of several scores the last.
        shown: What the optimizer saw of earlier rounds, and its edit budget.
        notes: Reflections, gradients and summaries.
        beam: The prompts that go on to the next round.
    """

    proposed: dict[str, CandidateProposed] = field(default_factory=dict)
    found: dict[str, CandidateScored] = field(default_factory=dict)
    shown: PastShown | None = None
    notes: list[NoteWritten] = field(default_factory=list)
    beam: BeamChosen | None = None

    @property
    def leading(self) -> CandidateScored | None:
        """The best score on the most rows; as every method has it, a shorter prompt wins a tie."""
        return max(
            self.found.values(),
            key=lambda one: (len(one.marks), one.score, -len(one.prompt)),
            default=None,
        )

    def apply(self, event: Event) -> None:
        """Let an event of this round change what is known."""
        match event:
            case CandidateProposed():
                self.proposed[event.prompt] = event
            case CandidateScored(split="eval"):
                self.found[event.prompt] = event
            case PastShown():
                self.shown = event
            case NoteWritten():
                self.notes.append(event)
            case BeamChosen():
                self.beam = event
            case _:
                pass

    def candidate(self, prompt: str, number: int, parent: int) -> CandidateProposed:
        """The candidate with this prompt, or what stands for one that an earlier round proposed.

        Args:
            prompt: The prompt.
            number: This round.
            parent: The round it is compared with, if it was not proposed here.
        """
        if prompt in self.proposed:
            return self.proposed[prompt]
        known = self.found.get(prompt)
        return CandidateProposed(
            at=known.at if known is not None else 0.0,
            round=number,
            parent=parent,
            prompt=prompt,
            modification=known.modification if known is not None else "",
            words_changed=known.words_changed if known is not None else None,
        )
