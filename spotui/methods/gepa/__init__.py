"""GEPA: reflective prompt evolution (Agrawal et al., arXiv 2507.19457)."""

from spotui.domain.declared import Block, Column
from spotui.engine.meta_prompts import MetaPrompt
from spotui.lang import N_
from spotui.methods.gepa.evolution import optimize
from spotui.methods.gepa.parameters import Parameters, calls
from spotui.methods.method import Method

_TASK = N_("what the run is for")

REFLECT = MetaPrompt.beside(
    __file__,
    "gepa_reflect",
    task=_TASK,
    current=N_("the prompt to improve"),
    examples=N_("train rows with its answers, their marks, and what these were given for"),
    change=N_("what to do, the word limit and the slots of the prompt"),
)
MERGE = MetaPrompt.beside(
    __file__,
    "gepa_merge",
    task=_TASK,
    current=N_("the better one of two prompts"),
    other=N_("the other one, which is better on other rows"),
    change=N_("what to do, the word limit and the slots of the prompt"),
)

GEPA = Method(
    optimize=optimize,
    summary=N_("Improves and merges prompts that are each best on some rows, by what their answers lacked."),
    source="Agrawal et al., arXiv 2507.19457",
    parameters=Parameters,
    scores=True,
    rounds=lambda parameters, _: 1 + parameters.iterations,
    calls=calls,
    length="iterations",
    edits=lambda _: True,
    asks=lambda _: ("optimizer", "executor"),
    meta_prompts=(REFLECT, MERGE),
    columns=(Column("front", N_("prompts of the front, of all that passed the gate and the race")),),
    blocks=(Block("front", N_("prompts that are best on some eval row")),),
)


__all__ = ["GEPA"]
