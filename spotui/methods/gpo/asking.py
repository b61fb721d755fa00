"""What GPO's optimizer is asked, in words."""

from collections.abc import Callable, Sequence

from spotui.domain.events import PastPrompt
from spotui.domain.program_prompts import Part
from spotui.engine import Engine, RowOutcome, RowSet, Scored, words_changed
from spotui.engine.task import STAND_IN
from spotui.lang import _
from spotui.methods.gpo.parameters import Parameters
from spotui.methods.method import fenced, points, rules, shown, shown_input, shown_references


def describe(
    engine: Engine,
    parameters: Parameters,
    current: Scored,
    earlier: Sequence[PastPrompt],
    summary: str,
    reflection: str,
    budget: int | None,
    step: int,
) -> str:
    """The question for one step's candidates (the meta-prompt of section 3)."""
    task, part = engine.task, engine.task.part(step + 1)
    wrong = task.say("What is wrong with the current prompt:")
    return engine.meta["gpo_propose"].render(
        task=task.description,
        past=_past(engine, parameters, part, earlier, summary),
        score=points(current.score.mean),
        current=fenced(task.shown_prompt(part.of(current.prompt))),
        reflection=_section("reflection", wrong, reflection),
        examples=_examples(engine, parameters, step),
        change=_change(engine, parameters, budget, task.beside(part, current.prompt)),
    )


def failures(engine: Engine, rows: RowSet, wrong: Sequence[RowOutcome]) -> str:
    """Rows that were answered wrong, with what was expected."""
    say = engine.task.say
    return "\n\n".join(
        "\n".join(
            (
                say("Input: {text}", text=shown_input(rows.row(one.position))),
                say("Output: {text}", text=shown(one.answer)),
                say("Expected: {references}", references=shown_references(engine, rows.row(one.position))),
            )
        )
        for one in wrong
    )


def latest(engine: Engine, parameters: Parameters, current: Scored, reflection: str) -> str:
    """What a step adds to the running summary; nothing when there was no reflection to add."""
    if parameters.trajectory_content == "reflections":
        return reflection
    prompt = fenced(engine.task.shown_prompt(current.prompt))
    lead = engine.task.say("This prompt scores {points} of 100:", points=points(current.score.mean))
    return f"{lead}\n{prompt}"


def fault_finder(parameters: Parameters, budget: int | None) -> Callable[[str, str], str]:
    """The fault of a prompt made from another: more words changed than allowed."""

    def check(prompt: str, parent: str) -> str:
        if parameters.edit_budget_enforcement == "reject" and budget is not None:
            changed = words_changed(parent, prompt)
            if changed > budget:
                return _(
                    "Its prompt changes {changed} words of the current one, but {budget} are allowed.",
                    changed=changed,
                    budget=budget,
                )
        return ""

    return check


def _past(
    engine: Engine, parameters: Parameters, part: Part, earlier: Sequence[PastPrompt], summary: str
) -> str:
    say = engine.task.say
    if parameters.trajectory == "summarization":
        return _section("summary", say("What was learned so far:"), summary)
    if not earlier:
        return ""
    order = say(_order(engine, parameters))
    if parameters.trajectory_content == "reflections":
        texts = "\n\n".join(one.text for one in earlier)
        lead = say("What was wrong with earlier prompts, {order}:", order=order)
        return _section("past_reflections", lead, texts)
    texts = "\n\n".join(
        "\n".join(
            (
                engine.task.shown_prompt(part.of(one.text)),
                say("Score: {points}", points=points(one.score or 0.0)),
            )
        )
        for one in earlier
    )
    lead = say("Earlier prompts with their scores of 100, {order}:", order=order)
    return _section("past_prompts", lead, texts)


def _order(engine: Engine, parameters: Parameters) -> str:
    """How the past is ordered, in words."""
    place = "last" if parameters.trajectory_order == "ascending" else "first"
    if engine.task.edition == 1 or parameters.trajectory_selection == "importance":
        return f"the best {place}"
    if parameters.trajectory_selection == "recency":
        return f"the newest {place}"
    return f"the most similar to the current one {place}"


def _examples(engine: Engine, parameters: Parameters, step: int) -> str:
    if not parameters.task_examples:
        return ""
    say = engine.task.say
    drawn = f"examples/{step}" if engine.task.edition == 1 else "examples"
    rows = engine.rows.train.draw(parameters.task_examples, seed=f"{engine.task.seed}/{drawn}")
    prompt = say(STAND_IN)
    texts = [
        "\n".join(
            (
                say("Input: {text}", text=shown(engine.layout.render(prompt, rows.row(position)))),
                say("Expected: {references}", references=shown_references(engine, rows.row(position))),
            )
        )
        for position in rows.positions
    ]
    lead = say("Some inputs of the task, and where the prompt stands in them:")
    return f"{lead}\n\n<examples>\n" + "\n\n".join(texts) + "\n</examples>"


def _change(engine: Engine, parameters: Parameters, budget: int | None, beside: Sequence[str]) -> str:
    say = engine.task.say
    if parameters.refinement == "editing":
        lead = "Edit the current prompt so that it scores higher: keep what works, change what does not."
    else:
        lead = "Write a new prompt that scores higher than all of these, in words of your own."
    limit = "It may differ from the current prompt by at most {budget} words."
    limits = [say(limit, budget=budget)] if budget is not None else []
    return engine.task.join(say(lead), *limits, *rules(engine), *beside)


def _section(tag: str, lead: str, text: str) -> str:
    return f"{lead}\n\n<{tag}>\n{fenced(text)}\n</{tag}>" if text else ""
