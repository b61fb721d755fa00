"""A prompt that a round scored, as the journal keeps it."""

import msgspec


class TriedRecord(msgspec.Struct, frozen=True, omit_defaults=True):
    """One of the prompts that a round scored.

    Attributes:
        prompt: The prompt.
        score: Its mean mark, 0..1.
        low: The lower end of the score's 95% interval.
        high: The upper end.
        rows: Rows that have a mark.
        left_out: Rows that errored.
        words_changed: Word edit distance to the prompt it was made from, or None for one made from none.
        modification: One sentence on what was changed.
    """

    prompt: str
    score: float
    low: float
    high: float
    rows: int
    left_out: int = 0
    words_changed: int | None = None
    modification: str = ""
