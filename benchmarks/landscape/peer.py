"""GEPA's own engine in the same worlds: the package `gepa`, if it is installed, with the same optimizer."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from benchmarks.landscape.offline import EVAL, TRAIN, Point
from benchmarks.landscape.world import Models, World

COMPONENT = "prompt"


def installed() -> str:
    """The version of the package `gepa`; empty where it is not installed."""
    try:
        return version("gepa")
    except PackageNotFoundError:
        return ""


class _AllCallsMadeError(BaseException):
    """Ends the engine, which takes every other error for a reason to try the next candidate."""


class _Silent:
    def log(self, message: str) -> None:
        """Say nothing."""


class _Adapter:
    """Plays the task and the reflecting model in a world, and counts what a run would buy."""

    propose_new_texts = None

    def __init__(self, world: World, models: Models, most: int) -> None:
        self.points = [Point(0, world.value(world.seed_prompt))]
        self._world = world
        self._models = models
        self._most = most
        self._calls = 0
        self._best = -1.0

    def evaluate(self, batch: list[int], candidate: dict[str, str], capture_traces: bool = False) -> Any:
        """Answer some rows with a prompt; all eval rows make it one of the pool."""
        EvaluationBatch = import_module("gepa.core.adapter").EvaluationBatch  # noqa: N806 - its name there

        prompt = candidate[COMPONENT]
        self._count(len(batch))
        scores = [float(self._world.mark(prompt, row)) for row in batch]
        if len(batch) == EVAL and sum(scores) > self._best:
            self._best = sum(scores)
            self.points.append(Point(self._calls, self._world.value(prompt)))
        return EvaluationBatch(scores, scores, batch if capture_traces else None)

    def make_reflective_dataset(
        self,
        candidate: dict[str, str],  # noqa: ARG002
        eval_batch: Any,
        components_to_update: list[str],
    ) -> Mapping[str, Sequence[Mapping[str, Any]]]:
        """What the reflecting model reads; it learns nothing from it, as no optimizer does here."""
        shown = [
            {"Inputs": f"Row {row}.", "Feedback": "right" if score else "wrong"}
            for row, score in zip(eval_batch.trajectories, eval_batch.scores, strict=True)
        ]
        return dict.fromkeys(components_to_update, shown)

    def reflect(self, prompt: str) -> str:
        """The reflecting model."""
        self._count(1)
        return self._models.reply(prompt, self._calls)

    def _count(self, calls: int) -> None:
        if self._calls + calls > self._most:
            raise _AllCallsMadeError
        self._calls += calls


def run(world: World, *, calls: int, quality: float) -> list[Point]:
    """How the best prompt of GEPA's engine rises in a world, with its defaults.

    Args:
        world: The world.
        calls: How many it may make, those of the reflecting model included.
        quality: Of the optimizer, as `Models` has it.
    """
    gepa = import_module("gepa")  # by name: it is no dependency, and has no types here
    adapter = _Adapter(world, Models(world, quality=quality), calls)
    with suppress(_AllCallsMadeError):
        gepa.optimize(
            seed_candidate={COMPONENT: world.seed_prompt},
            trainset=list(range(TRAIN)),
            valset=list(range(TRAIN, TRAIN + EVAL)),
            adapter=adapter,
            reflection_lm=adapter.reflect,
            max_metric_calls=calls,
            logger=_Silent(),
            seed=world.number,
        )
    return adapter.points
