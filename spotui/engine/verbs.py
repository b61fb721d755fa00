"""The verbs of one run together, as its rounds use them."""

from dataclasses import dataclass

from spotui.engine.context import Context
from spotui.engine.embed import Embedder
from spotui.engine.execute import Executor
from spotui.engine.judge import Judge
from spotui.engine.propose import Proposer
from spotui.engine.score import Scorer


@dataclass(frozen=True)
class Verbs:
    """What a round can do.

    Attributes:
        context: What they all work with.
        proposer: Brings new prompts.
        executor: Brings answers.
        judge: Brings verdicts.
        embedder: Tells how much texts are alike.
        scorer: Brings scores, where there are rows to score on.
    """

    context: Context
    proposer: Proposer
    executor: Executor
    judge: Judge
    embedder: Embedder
    scorer: Scorer | None = None
