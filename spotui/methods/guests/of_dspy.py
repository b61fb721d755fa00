"""The optimizers of DSPy, in the child process."""

import random
from collections.abc import Callable, Mapping
from typing import Any

import dspy

from spotui.methods.guests.child import Door, Outcome

_LONGEST_WAIT = 86_400
"""Seconds for a reply: a run may be paused meanwhile."""

_heard: dict[tuple[str, str], Outcome] = {}
"""What became of a question with an answer, which is all that a metric of DSPy is given."""


class Answer(dspy.Predict):  # type: ignore[misc]
    """Answers a question with a prompt, as the run asks it.

    Args:
        signature: Question and answer, with the prompt as its instructions.
        door: The run.
        rows: The rows by their questions.
    """

    def __init__(self, signature: Any, door: Door, rows: Mapping[str, Mapping[str, Any]]) -> None:
        super().__init__(signature)
        self.door = door
        self.rows = rows

    def __deepcopy__(self, memo: dict[int, Any]) -> "Answer":
        new = Answer(self.signature, self.door, self.rows)
        new.demos = [*self.demos]
        memo[id(self)] = new
        return new

    def forward(self, **given: Any) -> Any:
        """The answer of the run's executor."""
        question = given["question"]
        found = self.door.answer(written_out(self), self.rows[question])
        _heard[question, found.answer] = found
        return self._forward_postprocess([{"answer": found.answer}], self.signature, question=question)


class Program(dspy.Module):  # type: ignore[misc]
    """Puts a prompt in front of a question, and gives what the model answers.

    Args:
        answer: Answers a question.
    """

    def __init__(self, answer: Answer) -> None:
        super().__init__()
        self.answer = answer

    def forward(self, question: str) -> Any:
        """The answer to a question."""
        return self.answer(question=question)


def written_out(answer: Any) -> str:
    """The whole prompt as one text: the instructions, and the demonstrations below them."""
    shown = [f"Question: {one['question']}\nAnswer: {one['answer']}" for one in answer.demos]
    instructions: str = answer.signature.instructions
    return "\n\n".join([instructions, *(["For example:", *shown] if shown else [])])


def run(door: Door, task: Mapping[str, Any]) -> str:
    """The prompt that an optimizer ends with.

    Args:
        door: The run.
        task: What the child process was given.
    """
    random.seed(task["seed"])
    dspy.configure_cache(enable_disk_cache=False, enable_memory_cache=True)
    model = dspy.LM(
        "openai/optimizer",
        api_base=f"{door.address}/v1",
        api_key=door.key,
        num_retries=0,
        timeout=_LONGEST_WAIT,
        max_tokens=None,
        temperature=None,
    )
    dspy.configure(lm=model)
    rows = {one["question"]: one for one in (*task["eval"], *task["train"])}
    program = Program(Answer(dspy.Signature("question -> answer", task["prompt"]), door, rows))
    best = _OPTIMIZERS[task["optimizer"]](program, model, task)
    return written_out(best.answer)


def _examples(rows: list[Mapping[str, Any]]) -> list[Any]:
    return [
        dspy.Example(question=one["question"], answer=one["answer"]).with_inputs("question") for one in rows
    ]


def _mark(example: Any, prediction: Any, _trace: Any = None) -> float:
    return _heard[example.question, prediction.answer].mark


def _mark_with_feedback(
    example: Any, prediction: Any, _trace: Any = None, _name: Any = None, _part: Any = None
) -> Any:
    found = _heard[example.question, prediction.answer]
    return dspy.Prediction(score=found.mark, feedback=found.feedback)


def _mipro(program: Program, model: Any, task: Mapping[str, Any]) -> Any:
    given = task["parameters"]
    optimizer = dspy.MIPROv2(
        metric=_mark,
        prompt_model=model,
        task_model=model,
        auto=None,
        num_candidates=given["candidates"],
        max_bootstrapped_demos=given["demos"],
        max_labeled_demos=given["demos"],
        num_threads=task["threads"],
        seed=task["seed"] + 1,  # 0 is none to it
    )
    return optimizer.compile(
        program,
        trainset=_examples(task["train"]),
        valset=_examples(task["eval"]),
        num_trials=given["trials"],
        minibatch=False,
    )


def _copro(program: Program, model: Any, task: Mapping[str, Any]) -> Any:
    given = task["parameters"]
    optimizer = dspy.COPRO(
        prompt_model=model,
        metric=_mark,
        breadth=given["breadth"],
        depth=given["depth"],
        init_temperature=given["temperature"],
    )
    # It knows one set of rows, by which it chooses; it reads none of them when it writes.
    quiet = {"num_threads": task["threads"], "display_progress": False}
    return optimizer.compile(program, trainset=_examples(task["eval"]), eval_kwargs=quiet)


def _gepa(program: Program, model: Any, task: Mapping[str, Any]) -> Any:
    given = task["parameters"]
    optimizer = dspy.GEPA(
        metric=_mark_with_feedback,
        max_metric_calls=given["metric_calls"],
        reflection_minibatch_size=given["minibatch"],
        reflection_lm=model,
        use_merge=given["merge"],
        num_threads=task["threads"],
        seed=task["seed"],
    )
    return optimizer.compile(program, trainset=_examples(task["train"]), valset=_examples(task["eval"]))


_OPTIMIZERS: dict[str, Callable[[Program, Any, Mapping[str, Any]], Any]] = {
    "dspy-miprov2": _mipro,
    "dspy-copro": _copro,
    "dspy-gepa": _gepa,
}
