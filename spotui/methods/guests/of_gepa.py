"""The engine of the gepa package, in the child process."""

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

import gepa
from gepa.core.adapter import EvaluationBatch

from spotui.methods.guests.child import Door

_NAME: Final = "prompt"


class Adapter:
    """Runs a prompt on rows of the run.

    Args:
        door: The run.
        threads: Rows that are asked at once.
    """

    propose_new_texts = None

    def __init__(self, door: Door, threads: int) -> None:
        self._door = door
        self._threads = threads

    def evaluate(
        self, batch: Sequence[Mapping[str, Any]], candidate: Mapping[str, str], capture_traces: bool = False
    ) -> Any:
        """The marks of a prompt on some rows."""
        prompt = candidate[_NAME]
        with ThreadPoolExecutor(self._threads) as pool:
            found = list(pool.map(lambda row: self._door.answer(prompt, row), batch))
        traces = [
            {"Inputs": row["question"], "Generated Outputs": one.answer, "Feedback": one.feedback}
            for row, one in zip(batch, found, strict=True)
        ]
        return EvaluationBatch(
            outputs=[one.answer for one in found],
            scores=[one.mark for one in found],
            trajectories=traces if capture_traces else None,
        )

    def make_reflective_dataset(
        self, _candidate: Mapping[str, str], batch: Any, components: Sequence[str]
    ) -> dict[str, Any]:
        """What the reflection reads."""
        return {name: list(batch.trajectories) for name in components}


class _Silent:
    def log(self, *_said: object, **_more: object) -> None:
        """Log nothing: the run has a log."""


def run(door: Door, task: Mapping[str, Any]) -> str:
    """The prompt that GEPA ends with.

    Args:
        door: The run.
        task: What the child process was given.
    """
    parameters = task["parameters"]
    found = gepa.optimize(
        seed_candidate={_NAME: task["prompt"]},
        trainset=task["train"],
        valset=task["eval"],
        adapter=Adapter(door, task["threads"]),
        reflection_lm=door.write,
        max_metric_calls=parameters["metric_calls"],
        reflection_minibatch_size=parameters["minibatch"],
        use_merge=parameters["merge"],
        seed=task["seed"],
        logger=_Silent(),
    )
    prompt: str = found.best_candidate[_NAME]
    return prompt
