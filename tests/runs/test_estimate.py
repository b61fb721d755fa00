"""What a run is expected to take, against a run that took it."""

import asyncio
from pathlib import Path
from typing import Any

import msgspec
import pytest

from spotui.domain.events import RunStopped, SpendingChanged
from spotui.llm.connections import Connections
from spotui.llm.connector import Connector
from spotui.llm.tokens import count_tokens
from spotui.runs.estimate import Estimate
from spotui.runs.estimate import estimate as estimate_prepared
from spotui.runs.expected_calls import (
    ANSWER_TOKENS,
    EMBEDDED_PACE,
    EMBEDDED_PROPOSAL_TOKENS,
    LEAST_ANSWER_TOKENS,
    PROMPT_TOKENS,
    PROPOSAL_TOKENS,
    VOTE_TOKENS,
    model_seconds,
)
from spotui.runs.run import Run
from spotui.runs.snapshots import new_project
from spotui.settings.config_file import Config, ModelConfig, PriceConfig
from spotui.settings.resources import find_template
from spotui.settings.table import BudgetSettings, RoleSet, RoleSettings, RunSettings
from spotui.templates.model import Template
from spotui.templates.read import parse_template, read_template
from spotui.workspace.projects import Workspace
from tests import spo_model
from tests.model_server import JsonObject, ModelServer, Scripted, conversation
from tests.runs.starting import prepared

TEMPLATE = """\
prompt: Answer the question for a reader who knows nothing about the subject, in plain words.
requirements: Correct, complete and short. Every answer names its reason, and none of them uses jargon.
count: None
qa:
- question: Why does ice float on water, and what would happen to lakes if it did not?
  answer: Ice is less dense than water; lakes would freeze from the bottom up.
- question: Why is the sky blue at noon and red in the evening?
  answer: Air scatters blue light more than red light; in the evening the way through it is longer.
- question: Why do bicycles stay upright while they are moving?
  answer: None
"""
MODELS = {
    "opt": ModelConfig(price=PriceConfig(input=3.0, output=15.0)),
    "eval": ModelConfig(price=PriceConfig(input=0.15, output=0.6)),
    "exec": ModelConfig(price=PriceConfig(input=1.0, output=4.0)),
}


def some_settings(
    *, optimizer: str = "opt", evaluator: str = "eval", executor: str = "exec", **fields: Any
) -> RunSettings:
    def role(model: str) -> RoleSettings:
        return RoleSettings(model=model, temperature=None, max_tokens=None, timeout=10.0)

    roles = RoleSet(optimizer=role(optimizer), evaluator=role(evaluator), executor=role(executor))
    return RunSettings(roles=roles, **{"base_url": "http://127.0.0.1:9/v1", "final_check": False, **fields})


def a_connector(settings: RunSettings, models: dict[str, ModelConfig] | None = None) -> Connector:
    config = Config(models=MODELS if models is None else models)
    return Connector(settings, config, {}, models_dir=Path("/nowhere"), log_dir=Path("/nowhere"))


def estimate(
    settings: RunSettings, *, questions: int = 3, models: dict[str, ModelConfig] | None = None
) -> Estimate:
    template = parse_template(TEMPLATE, "test")
    repeated = tuple(template.qa[number % 3] for number in range(questions))
    return estimated(msgspec.structs.replace(template, qa=repeated), settings, models)


def estimated(
    template: Template, settings: RunSettings, models: dict[str, ModelConfig] | None = None
) -> Estimate:
    found = estimate_prepared(prepared(TEMPLATE, settings, template=template), a_connector(settings, models))
    assert found is not None
    return found


def typical(request: JsonObject) -> Scripted:
    """Replies as long as they usually are, with their usage as a tokenizer counts it."""
    said = spo_model.climbing(request)
    role, words = spo_model.role_of(request), " and so on"
    assert isinstance(said, str)
    if role == "propose":
        said = said.replace("</prompt>", f"{words * ((PROMPT_TOKENS - 15) // 3)}\n</prompt>")
        wanted, where = PROPOSAL_TOKENS, "</analyse>"
    elif role == "judge":
        wanted, where = VOTE_TOKENS, "</analyse>"
    else:
        said = said.partition(":")[0] + "."
        wanted, where = ANSWER_TOKENS, "."
    text = said.replace(where, words * ((wanted - count_tokens(said).tokens) // 3) + where)
    prompt_tokens, completion_tokens = count_tokens(conversation(request)).tokens, count_tokens(text).tokens
    total = prompt_tokens + completion_tokens
    usage = {"prompt_tokens": prompt_tokens, "completion_tokens": completion_tokens, "total_tokens": total}
    return Scripted(text, usage=usage)


def measured(
    folder: Path, settings: RunSettings, delay: float
) -> tuple[SpendingChanged, dict[str, int], RunStopped]:
    """What a run took in all, its requests by model, and how it ended."""
    with ModelServer(typical, delay=delay) as server:
        settings = msgspec.structs.replace(settings, base_url=server.base_url)
        project = new_project(Workspace(folder), "test", prepared(TEMPLATE, settings))
        run = Run(project, lambda own: Connections(a_connector(own).connect))
        spending: list[SpendingChanged] = []
        run.subscribe(lambda event: spending.append(event) if isinstance(event, SpendingChanged) else None)
        stopped = asyncio.run(run.go())
        sent = [str(request.json["model"]) for request in server.requests]
    return spending[-1], {model: sent.count(model) for model in MODELS}, stopped


def test_a_run_takes_what_was_expected_of_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("spotui.runs.expected_calls.HOSTED_PACE", (0.06, float("inf")))
    settings = some_settings(max_rounds=5, final_check=True)
    expected = estimate(settings)
    spent, requests, stopped = measured(tmp_path, settings, delay=0.06)
    assert stopped.reason == "finished"
    # A judge that is always right takes three votes.
    assert expected.calls == spent.calls == 3 + 4 * 7 + 2 * 3
    calls = {share.model: share.calls for share in expected.shares}
    assert calls == {**requests, "eval": 12 + 6}
    assert expected.tokens == pytest.approx(spent.prompt_tokens + spent.completion_tokens, rel=0.1)
    assert expected.usd == pytest.approx(spent.cost_usd, rel=0.1)
    assert expected.seconds == pytest.approx(0.06 * (1 + 4 * 3 + 1))
    assert expected.seconds * 0.98 <= spent.seconds


def calls_of(expected: Estimate) -> dict[str, int]:
    return {share.role: share.calls for share in expected.shares}


def test_the_reference_s_own_run_takes_75_calls() -> None:
    assert estimate(some_settings(max_rounds=10, judge="reference")).calls == 75


def test_a_thorough_judge_takes_more_votes_and_waits_longer_for_them() -> None:
    default, thorough = estimate(some_settings()), estimate(some_settings(judge="thorough"))
    assert 3 * calls_of(thorough)["evaluator"] == 5 * calls_of(default)["evaluator"]
    assert thorough.seconds > default.seconds


def test_judging_question_by_question_takes_a_call_for_each() -> None:
    whole, alone = estimate(some_settings()), estimate(some_settings(judge_unit="row"))
    assert calls_of(alone)["evaluator"] == 3 * calls_of(whole)["evaluator"]


def test_judges_share_the_votes_of_rounds_and_all_cast_those_of_the_final_check() -> None:
    alone, two = (
        estimate(some_settings(max_rounds=2, final_check=True, judges=judges)) for judges in ((), ("exec",))
    )
    votes = [share.calls for share in two.shares if share.role == "evaluator"]
    assert calls_of(alone)["evaluator"] == 3 + 6
    assert votes == [8, 7]  # 3 + 2 * 6


def test_weighing_a_letter_takes_two_calls_and_no_reasoning() -> None:
    expected = estimate(some_settings(judge="logprob"))
    (evaluator,) = [share for share in expected.shares if share.role == "evaluator"]
    assert evaluator.calls == evaluator.completion_tokens == 2 * 9


def test_held_out_questions_are_asked_of_the_seed_and_of_the_best_at_the_end() -> None:
    without, with_two = (estimate(some_settings(final_check=True), questions=count) for count in (3, 5))
    assert calls_of(without) == {"optimizer": 9, "evaluator": 33, "executor": 30}
    assert calls_of(with_two) == {"optimizer": 9, "evaluator": 37, "executor": 34}
    assert with_two.seconds > without.seconds


def test_the_likelihood_judge_measures_every_answer_with_the_requirements_and_without() -> None:
    model = "local/qwen2.5-coder-0.5b"
    settings = some_settings(optimizer=model, evaluator=model, executor=model, judge="likelihood")
    expected = estimate(msgspec.structs.replace(settings, base_url=None, max_rounds=4))
    assert calls_of(expected) == {"optimizer": 3, "evaluator": 24, "executor": 12}
    assert expected.usd == 0.0
    # One core does it all: nothing is quicker for being asked at once.
    tokens = 3 * EMBEDDED_PROPOSAL_TOKENS + 12 * ANSWER_TOKENS
    assert expected.seconds >= tokens / EMBEDDED_PACE[1]


def test_where_every_question_has_a_reference_answer_they_tell_how_long_answers_are() -> None:
    settings = some_settings()

    def answers(length: int) -> int:
        template = parse_template(TEMPLATE, "test")
        qa = tuple(msgspec.structs.replace(one, answer="word " * length) for one in template.qa)
        shares = estimated(msgspec.structs.replace(template, qa=qa), settings).shares
        [executor] = [share for share in shares if share.role == "executor"]
        return executor.completion_tokens // executor.calls

    assert answers(0) == ANSWER_TOKENS
    assert answers(1) == LEAST_ANSWER_TOKENS
    assert answers(200) == pytest.approx(2 * 250, rel=0.01)


def test_the_seed_round_alone_needs_no_proposal() -> None:
    expected = estimate(some_settings(max_rounds=1))
    assert calls_of(expected) == {"optimizer": 0, "evaluator": 0, "executor": 3}
    assert expected.seconds > 0


def test_fewer_calls_at_once_take_longer() -> None:
    at_once, in_turn = (estimate(some_settings(concurrency=calls)) for calls in (8, 1))
    assert in_turn.calls == at_once.calls
    assert in_turn.seconds > 1.7 * at_once.seconds


@pytest.mark.parametrize(
    ("limits", "minutes"),
    [
        ({"requests_per_minute": 6}, (27 - 6) / 6),
        ({"tokens_per_minute": 1000}, 27 * VOTE_TOKENS / 1000),
        ({"requests_per_minute": 10_000}, 0),
    ],
)
def test_rates_make_a_run_longer(limits: dict[str, Any], minutes: float) -> None:
    limited = ModelConfig(price=MODELS["eval"].price, **limits)
    expected = estimate(some_settings(), models={**MODELS, "eval": limited})
    assert expected.seconds >= minutes * 60
    assert (expected.seconds > estimate(some_settings()).seconds) is (minutes > 0)


def test_a_price_that_one_role_lacks_makes_the_sum_unknown() -> None:
    expected = estimate(some_settings(evaluator="nobody-knows"))
    assert expected.usd is None
    assert [share.usd is None for share in expected.shares] == [False, True, False]
    assert "$ unknown" in expected.line


SCARCE = "may not cover the seed round and 2 more"


@pytest.mark.parametrize(
    ("budget", "words"),
    [
        (BudgetSettings(calls=16), f"The budget of 16 calls {SCARCE} (about 17)."),
        (BudgetSettings(calls=17), None),
        (BudgetSettings(tokens=15_000), f"The budget of 15,000 tokens {SCARCE} (about 1"),
        (BudgetSettings(tokens=30_000), None),
        (BudgetSettings(usd=0.02), f"The budget of 0.02 USD {SCARCE}"),
        (BudgetSettings(usd=1.0), None),
        (BudgetSettings(minutes=0.1), f"The budget of 0.1 minutes {SCARCE}"),
        (BudgetSettings(minutes=10.0), None),
    ],
)
def test_a_budget_that_cannot_cover_two_rounds_is_warned_of(
    budget: BudgetSettings, words: str | None
) -> None:
    warnings = estimate(some_settings(budget=budget)).warnings
    assert len(warnings) == (words is not None)
    assert all(warning.startswith(words or "") for warning in warnings)


def test_a_run_of_one_round_needs_no_budget_for_three() -> None:
    settings = some_settings(max_rounds=1, budget=BudgetSettings(calls=3))
    assert not estimate(settings).warnings
    [warning] = estimate(msgspec.structs.replace(settings, budget=BudgetSettings(calls=2))).warnings
    assert warning == "The budget of 2 calls may not cover the seed round (about 3)."


def test_a_budget_in_usd_without_a_price_is_warned_of() -> None:
    settings = some_settings(executor="nobody-knows", budget=BudgetSettings(usd=1.0))
    [warning] = estimate(settings).warnings
    assert warning.startswith("A budget in USD cannot be kept: the price of nobody-knows is unknown.")


@pytest.mark.parametrize("name", ["poem", "chinese-idioms", "order-to-json"])
def test_the_length_of_prompts_is_about_what_a_tokenizer_makes_of_them(name: str) -> None:
    template = read_template(find_template(name))
    settings = some_settings(max_rounds=1, sample=len(template.qa))
    [executor] = [one for one in estimated(template, settings).shares if one.calls]
    texts = [f"{template.prompt}\n\n{one.question}" for one in template.qa]
    counted = sum(count_tokens(text).tokens for text in texts)
    assert executor.prompt_tokens == pytest.approx(counted, rel=0.35)


def test_a_measured_speed_counts_for_more_than_a_typical_one() -> None:
    connector = a_connector(some_settings())
    assert model_seconds("opt", connector, {}, 100, 1) == pytest.approx(0.8 + 100 / 60)
    assert model_seconds("opt", connector, {"opt": (2.0, 10.0)}, 100, 1) == pytest.approx(12.0)
