"""All parameters of GPO, under our names and the reference's."""

from typing import Annotated, Final, Literal

import msgspec
from msgspec import UNSET, Meta

from spotui.engine.task import batches
from spotui.lang import N_
from spotui.methods.method import Alias, Calls, PromptPosition, QaLabels, Races

Direction = Literal["performance", "performance+reflection"]
Trajectory = Literal["none", "retrieval", "summarization"]
Content = Literal["prompts", "reflections"]
Selection = Literal["recency", "relevance", "importance"]
Relevance = Literal["bm25", "embedding"]
Order = Literal["ascending", "descending"]
Refinement = Literal["generation", "editing"]
Schedule = Literal["none", "constant", "linear", "cosine"]
Enforcement = Literal["advisory", "reject"]


class Parameters(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The parameters of GPO; the defaults are the paper's best setting."""

    descent_direction: Annotated[
        Direction,
        Meta(description=N_("guidance for the optimizer: scores alone, or also a reflection on failures")),
    ] = "performance"
    trajectory: Annotated[
        Trajectory,
        Meta(description=N_("earlier steps that are shown: none, a selection, or one running summary")),
    ] = "retrieval"
    trajectory_content: Annotated[
        Content, Meta(description=N_("what is stored for each step: its prompt, or its reflection"))
    ] = "prompts"
    trajectory_selection: Annotated[
        Selection,
        Meta(
            description=N_("selection of steps: the newest, the most similar to the current one, or the best")
        ),
    ] = "relevance"
    relevance: Annotated[
        Relevance,
        Meta(description=N_("measure of similarity: shared words (BM25), or --embedding-model")),
    ] = "bm25"
    trajectory_size: Annotated[
        int, Meta(ge=0, le=100, description=N_("number of earlier steps that are shown"))
    ] = 3
    trajectory_order: Annotated[
        Order,
        Meta(description=N_("order of these steps: the most similar, newest or best last, or first")),
    ] = "ascending"
    trajectory_losers: Annotated[
        bool, Meta(description=N_("whether candidates that were scored and not chosen are also stored"))
    ] = False
    refinement: Annotated[
        Refinement, Meta(description=N_("how a prompt is made: written from scratch, or edited"))
    ] = "generation"
    edit_budget_initial: Annotated[
        int, Meta(ge=0, le=10_000, description=N_("words that may change in the first step, at least one"))
    ] = 50
    edit_budget_final: Annotated[
        int, Meta(ge=0, le=10_000, description=N_("words that may change in the last step, at least one"))
    ] = 10
    edit_budget_schedule: Annotated[
        Schedule, Meta(description=N_("how the edit budget decays; none is no limit"))
    ] = "cosine"
    warmup_steps: Annotated[
        int, Meta(ge=0, le=10_000, description=N_("steps in which the edit budget rises"))
    ] = 0
    edit_budget_enforcement: Annotated[
        Enforcement, Meta(description=N_("whether a prompt that changes more words is used or rejected"))
    ] = "advisory"
    epochs: Annotated[int, Meta(ge=0, le=1000, description=N_("passes through the train rows"))] = 3
    batch_size: Annotated[int, Meta(ge=1, le=10_000, description=N_("train rows in each step"))] = 8
    max_steps: (
        Annotated[
            int,
            Meta(
                ge=0, le=10_000, description=N_("steps in all, instead of the number from epochs and batches")
            ),
        ]
        | None
    ) = None
    candidates_per_step: Annotated[
        int, Meta(ge=1, le=128, description=N_("prompts proposed in each step"))
    ] = 8
    task_examples: Annotated[
        int,
        Meta(
            ge=0,
            le=100,
            description=N_("train rows with their answers that the optimizer sees in every step"),
        ),
    ] = 3
    prompt_position: PromptPosition = "question_end"
    qa_labels: QaLabels = False
    few_shot_demos: Annotated[
        int, Meta(ge=0, le=100, description=N_("solved train rows before every question"))
    ] = 0
    only_evaluate: Annotated[
        bool, Meta(description=N_("score the seed prompt on the test rows and stop"))
    ] = False
    optimizer_temperature: Annotated[
        float, Meta(ge=0, le=2, description=N_("the optimizer's temperature when it proposes"))
    ] = 1.0


def steps(parameters: Parameters, train_rows: int) -> int:
    """How many steps a run takes."""
    if parameters.only_evaluate:
        return 0
    if parameters.max_steps is not None:
        return parameters.max_steps
    return parameters.epochs * batches(train_rows, parameters.batch_size)


def calls(parameters: Parameters, train_rows: int, eval_rows: int) -> Calls:
    """How many calls a run makes at most, without those on test rows."""
    if parameters.only_evaluate:
        return Calls(proposals=0, notes=0, answers=0, steps=0, tests=1)
    taken = steps(parameters, train_rows)
    proposals = taken * parameters.candidates_per_step
    reflects = parameters.descent_direction == "performance+reflection"
    notes = taken * (reflects + (parameters.trajectory == "summarization"))
    learned = parameters.candidates_per_step if parameters.trajectory_losers else 1
    remembered = learned if parameters.trajectory_content == "prompts" else 1
    embeddings = (1 + (taken - 1) * remembered if taken > 1 else 0) * embeds(parameters)
    failures = taken * min(parameters.batch_size, train_rows) * reflects
    races = Races(taken, parameters.candidates_per_step, 1, eval_rows)
    answers = eval_rows * (1 + proposals) + failures
    return Calls(proposals, notes, answers, taken, embeddings, races=(races,))


def asks(parameters: Parameters) -> tuple[str, ...]:
    """The roles that a run asks, marks aside; the optimizer writes reflections and summaries, too."""
    return ("executor",) if parameters.only_evaluate else ("optimizer", "executor")


def edits(parameters: Parameters) -> bool:
    """Whether there has to be a prompt to begin with: one to edit, or to reflect on (ProTeGi, PE2, SGDM).

    Where prompts are written anew by scores and examples, as by APE, OPRO and GPO, it may be empty.
    """
    if parameters.only_evaluate:
        return False
    return parameters.refinement == "editing" or parameters.descent_direction != "performance"


def embeds(parameters: Parameters) -> bool:
    """Whether the embedding model is asked: only where relevance chooses what is shown."""
    is_chosen_by_it = parameters.trajectory == "retrieval" and parameters.trajectory_selection == "relevance"
    return is_chosen_by_it and parameters.relevance == "embedding"


ALIASES: Final = {
    "gradient_name": Alias("descent_direction", {"-": "performance", "feedback": "performance+reflection"}),
    "momentum_update_name": Alias(
        "trajectory", {"-": "none", "k-list": "retrieval", "real-time": "summarization"}
    ),
    "momentum_para_name": Alias(
        "trajectory_content",
        {
            "-": {"trajectory": "none"},
            "para": {"trajectory_content": "prompts"},
            "feedback": {"trajectory_content": "reflections"},
        },
    ),
    "momentum_selection_name": Alias(
        "trajectory_selection",
        {
            "-": UNSET,
            "recency": "recency",
            "relavance": "relevance",
            "relevance": "relevance",
            "importance": "importance",
        },
    ),
    "momentum_selection_num": Alias("trajectory_size"),
    "util_gradient_name": Alias(
        "refinement",
        {
            "-": UNSET,
            "generate": {"refinement": "generation"},
            "edit": {"refinement": "editing"},
            "generate_without": {"refinement": "generation", "descent_direction": "performance"},
            "edit_without": {"refinement": "editing", "descent_direction": "performance"},
        },
    ),
    "initial_step_size": Alias("edit_budget_initial"),
    "final_step_size": Alias("edit_budget_final"),
    "decay_strategy": Alias("edit_budget_schedule", {"-": "none", "fixed": "constant", "consine": "cosine"}),
    "learning_rate_name": Alias("edit_budget_schedule", {"wo_lr": "none", "w_lr": UNSET}),
    "use_warmup_strategy": Alias("warmup_steps", {"false": 0, "true": UNSET}, usual=5),
    "num_search_epochs": Alias("epochs"),
    "opt_batch_size": Alias("batch_size"),
    "num_generated_instructions_in_each_step": Alias("candidates_per_step"),
    "format_data_num": Alias("task_examples"),
    "instruction_pos": Alias(
        "prompt_position",
        {
            "before_Q": "before_question",
            "Q_begin": "question_start",
            "Q_end": "question_end",
            "A_begin": "answer_start",
        },
    ),
    "include_qa": Alias("qa_labels"),
    "few_shot_number": Alias("few_shot_demos"),
    "evaluate_generated_ins_on_few_shot": Alias("few_shot_demos", {"false": 0, "true": UNSET}, usual=5),
}
"""The reference's flags, and its words for their values; `consine` and `relavance` are how it spells them."""

_KEYS: Final = N_("Keys belong in the environment, for example OPENAI_API_KEY, or in 'spotui models add'.")

ELSEWHERE: Final = {
    "dataset": N_("Name the rows in the template: data: {path: FILE.jsonl, columns: {question: input, …}}."),
    "task_name": N_("A run works on one task. Start a run for each task, with its rows under data."),
    "initial_instruction": N_("It is the template's prompt. Write it there as prompt: …"),
    "optimizer_llm_name": N_(
        "Choose the model with --opt-model, or in the template as models: {optimizer: …}."
    ),
    "scorer_llm_name": N_("Choose the model with --exec-model, or in the template as models: {executor: …}."),
    "openai_api_key": _KEYS,
    "openai_api_key_list": _KEYS,
    "gpus": N_("Serve the model with a program that uses them, for example vLLM, and give its --base-url."),
}
"""The reference's flags that are settings of a run or of the template here."""
