"""What an evaluation gives."""

from dataclasses import dataclass
from typing import Any


@dataclass
class EvaluationBatch:
    """Outputs, marks and traces of a batch."""

    outputs: list[Any]
    scores: list[float]
    trajectories: list[Any] | None = None
