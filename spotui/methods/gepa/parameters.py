"""The parameters of GEPA, and the calls that they lead to."""

from typing import Annotated

import msgspec
from msgspec import Meta

from spotui.lang import N_
from spotui.methods.method import Calls, PromptPosition, QaLabels


class Parameters(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The parameters of GEPA; width, minibatch and gate are the paper's."""

    iterations: Annotated[int, Meta(ge=1, le=10_000, description=N_("rounds after the seed's"))] = 30
    width: Annotated[
        int, Meta(ge=1, le=64, description=N_("prompts that are improved in each round, all at once"))
    ] = 1
    minibatch_rows: Annotated[
        int, Meta(ge=1, le=1000, description=N_("train rows that a prompt is improved by and has to pass"))
    ] = 3
    gate_tolerance: Annotated[
        float,
        Meta(
            ge=0,
            le=1000,
            description=N_(
                "a new prompt passes if it is behind its parent by fewer rows of the minibatch than this; "
                "0: only if it is ahead"
            ),
        ),
    ] = 0.0
    merge_every: Annotated[
        int,
        Meta(ge=0, le=10_000, description=N_("rounds from one merge to the next; 0: no merges")),
    ] = 3
    optimizer_temperature: Annotated[
        float, Meta(ge=0, le=2, description=N_("the optimizer's temperature when it proposes"))
    ] = 1.0
    prompt_position: PromptPosition = "before_question"
    qa_labels: QaLabels = False


def merges(parameters: Parameters) -> int:
    """How many rounds may merge."""
    return parameters.iterations // parameters.merge_every if parameters.merge_every else 0


def calls(parameters: Parameters, train_rows: int, eval_rows: int) -> Calls:
    """About how many calls a run makes, without the test at the end: half of the prompts pass, say."""
    batch = min(train_rows, parameters.minibatch_rows)
    improved, merged = parameters.iterations * parameters.width, merges(parameters)
    return Calls(
        proposals=improved + merged,
        notes=0,
        answers=eval_rows * (1 + -(-(improved + merged) // 2)) + batch * (2 * improved + merged),
        steps=parameters.iterations,
    )
