"""GPO, and the five methods that are special cases of it (Tang et al., arXiv 2402.17564)."""

from typing import Any

from spotui.domain.declared import Note
from spotui.engine.meta_prompts import MetaPrompt
from spotui.lang import N_
from spotui.methods.gpo.descent import optimize
from spotui.methods.gpo.parameters import ALIASES, ELSEWHERE, Parameters, asks, calls, edits, embeds, steps
from spotui.methods.method import Method

_TASK = N_("what the run is for")

META_PROMPTS = (
    MetaPrompt.beside(
        __file__,
        "gpo_propose",
        task=_TASK,
        past=N_("earlier prompts with their scores, earlier reflections or their summary, or nothing"),
        score=N_("the current prompt's score of 100"),
        current=N_("the current prompt"),
        reflection=N_("the reflection on its failures, or nothing"),
        examples=N_("some rows with their references, or nothing"),
        change=N_("what to do, the edit budget, the word limit and the slots of the prompt"),
    ),
    MetaPrompt.beside(
        __file__,
        "gpo_reflect",
        task=_TASK,
        prompt=N_("the current prompt"),
        failures=N_("rows of a train batch that it got wrong"),
    ),
    MetaPrompt.beside(
        __file__,
        "gpo_summarize",
        task=_TASK,
        summary=N_("the summary so far"),
        latest=N_("what the latest step adds"),
    ),
)


def _method(summary: str, source: str, **defaults: Any) -> Method:
    return Method(
        optimize=optimize,
        summary=summary,
        source=source,
        parameters=Parameters,
        defaults=defaults,
        scores=True,
        rounds=lambda parameters, train_rows: 1 + steps(parameters, train_rows),
        calls=calls,
        embeds=embeds,
        length="max_steps",
        width="candidates_per_step",
        meta_prompts=META_PROMPTS,
        notes=(Note("reflection", "reflect"), Note("summary", "summarize", "summaries")),
        aliases=ALIASES,
        elsewhere=ELSEWHERE,
        edits=edits,
        asks=asks,
    )


GPO = _method(
    N_("Past prompts by relevance, new prompts within an edit budget that decays."),
    "Tang et al., arXiv 2402.17564",
)
APE = _method(
    N_("New prompts from the current one and its score alone."),
    "Zhou et al., arXiv 2211.01910, as GPO's authors run it",
    trajectory="none",
    edit_budget_schedule="none",
)
APO = _method(
    N_("Edits the current prompt by a reflection on its failures."),
    "Pryzant et al., arXiv 2305.03495, as GPO's authors run it",
    descent_direction="performance+reflection",
    trajectory="none",
    edit_budget_schedule="none",
    refinement="editing",
)
OPRO = _method(
    N_("New prompts from the best ones so far."),
    "Yang et al., arXiv 2309.03409, as GPO's authors run it",
    trajectory_selection="importance",
    edit_budget_schedule="none",
)
PE2 = _method(
    N_("New prompts from the newest ones and a reflection, within a constant edit budget."),
    "Ye et al., arXiv 2311.05661, as GPO's authors run it",
    descent_direction="performance+reflection",
    trajectory_selection="recency",
    edit_budget_schedule="constant",
    edit_budget_initial=30,
)
SGDM = _method(
    N_("Edits the current prompt by a running summary of reflections."),
    "the momentum baseline of Tang et al., arXiv 2402.17564",
    descent_direction="performance+reflection",
    trajectory="summarization",
    trajectory_content="reflections",
    edit_budget_schedule="none",
    refinement="editing",
)


__all__ = ["APE", "APO", "GPO", "OPRO", "PE2", "SGDM"]
