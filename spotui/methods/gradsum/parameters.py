"""Everything that GRAD-SUM can be told; what the paper leaves open is marked as ours."""

from typing import Annotated

import msgspec
from msgspec import Meta

from spotui.engine.layout import Position
from spotui.methods.method import Calls


class Parameters(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What GRAD-SUM can be told; the defaults are the paper's, or ours where it is silent."""

    iterations: Annotated[int, Meta(ge=1, le=10_000, description="rounds after the seed's")] = 10
    beam: Annotated[int, Meta(ge=1, le=100, description="prompts that go on to the next round")] = 3
    train_rows: Annotated[int, Meta(ge=1, le=10_000, description="train rows that gradients come from")] = 30
    candidates_per_parent: Annotated[
        int, Meta(ge=1, le=100, description="edits of each prompt of the beam (ours)")
    ] = 4
    subset_rows: Annotated[
        int,
        Meta(ge=1, le=10_000, description="eval rows that choose the beam, the same ones always (ours)"),
    ] = 20
    gradients_at_once: Annotated[
        int,
        Meta(ge=500, le=10_000_000, description="characters of gradients that one summary is made of (ours)"),
    ] = 8000
    optimizer_temperature: Annotated[
        float, Meta(ge=0, le=2, description="the optimizer's temperature when it edits (ours)")
    ] = 1.0
    prompt_position: Annotated[Position, Meta(description="where the prompt stands when a row is asked")] = (
        "before_question"
    )
    qa_labels: Annotated[bool, Meta(description="whether Q: and A: mark question and answer")] = False


def calls(parameters: Parameters, train_rows: int, eval_rows: int) -> Calls:
    """About how many calls a run makes, without the test at the end: half of the train rows fail, say."""
    train = min(train_rows, parameters.train_rows)
    subset = min(eval_rows, parameters.subset_rows)
    parents = 1 + (parameters.iterations - 1) * parameters.beam
    edits = parents * parameters.candidates_per_parent
    return Calls(
        proposals=edits,
        notes=parents * (train // 2 + 1),
        answers=eval_rows * (1 + parameters.iterations) + parents * train + edits * subset,
        steps=parameters.iterations,
    )
