"""From a model id to something that can be asked: which limits are shared, what is known to cost what."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from spotui.llm.batches.openai import OpenAIBatches
from spotui.llm.budget import UnknownPriceError
from spotui.llm.connector import Connector
from spotui.llm.protocol import BadRequestError
from spotui.llm.providers.embedded import EmbeddedProvider
from spotui.llm.providers.litellm_provider import LitellmProvider
from spotui.llm.providers.openai_compatible import OpenAICompatibleProvider
from spotui.llm.providers.playback import ScriptedProvider
from spotui.llm.routing import Price
from spotui.settings.config_file import Config, ModelConfig, PriceConfig
from spotui.settings.table import BudgetSettings, RoleSet, RoleSettings, RunSettings

ENVIRON = {"OPENAI_API_KEY": "sk-very-secret-0123456789"}
OWN = "http://127.0.0.1:9/v1"


def a_role(model: str, timeout: float = 30.0) -> RoleSettings:
    return RoleSettings(model=model, temperature=None, max_tokens=None, timeout=timeout)


def some_settings(
    optimizer: str = "gpt-4o", evaluator: str = "gpt-4o-mini", executor: str = "gpt-4o-mini", **fields: Any
) -> RunSettings:
    roles = RoleSet(
        optimizer=a_role(optimizer, 10.0), evaluator=a_role(evaluator, 20.0), executor=a_role(executor, 30.0)
    )
    return RunSettings(roles=roles, **fields)


def a_connector(
    settings: RunSettings | None = None,
    config: Config | None = None,
    environ: Mapping[str, str] = ENVIRON,
    folder: Path = Path("/nowhere"),
) -> Connector:
    return Connector(
        settings or some_settings(), config or Config(), environ, models_dir=folder, log_dir=folder
    )


@pytest.mark.parametrize(
    ("model", "kind"),
    [
        ("gpt-4o", OpenAICompatibleProvider),
        ("anthropic/claude-sonnet-4-5", LitellmProvider),
        ("local/qwen2.5-coder-1.5b", EmbeddedProvider),
    ],
)
def test_each_kind_of_model_has_its_provider(model: str, kind: type) -> None:
    assert isinstance(a_connector().connect(model).provider, kind)


def test_a_script_is_read_when_it_is_connected(tmp_path: Path) -> None:
    (tmp_path / "script.yaml").write_text("- replies: [four]\n")
    connection = a_connector().connect(f"scripted/{tmp_path / 'script.yaml'}")
    assert isinstance(connection.provider, ScriptedProvider)


@pytest.mark.parametrize(
    ("one", "other", "shared"),
    [
        ("gpt-4o", "openai/gpt-4o-mini", True),
        ("anthropic/claude-sonnet-4-5", "claude-3-5-haiku-20241022", True),
        ("claude-3-opus-20240229", "claude-3-5-haiku-20241022", True),
        ("gpt-4o", "anthropic/claude-sonnet-4-5", False),
        ("anthropic/claude-sonnet-4-5", "gemini/gemini-2.5-pro", False),
    ],
)
def test_models_on_one_endpoint_share_its_limits(one: str, other: str, shared: bool) -> None:
    connector = a_connector()
    assert (connector.connect(one).limiter is connector.connect(other).limiter) is shared


def test_a_model_with_limits_of_its_own_does_not_share_them() -> None:
    config = Config(models={"gpt-4o": ModelConfig(concurrency=1)})
    connector = a_connector(config=config)
    assert connector.connect("gpt-4o").limiter.concurrency == 1
    assert connector.connect("gpt-4o-mini").limiter.concurrency == 8


def test_a_model_of_two_roles_waits_as_long_as_the_more_patient_one() -> None:
    connector = a_connector()
    assert connector.route_to("gpt-4o").endpoint.timeout == 10.0
    assert connector.route_to("gpt-4o-mini").endpoint.timeout == 30.0


def test_only_the_embedded_model_takes_grammars_until_the_user_says_that_a_server_does() -> None:
    connector = a_connector()
    assert connector.connect("local/qwen2.5-coder-0.5b").takes_grammar
    assert not connector.connect("gpt-4o").takes_grammar
    assert a_connector(some_settings(grammar=True)).connect("gpt-4o").takes_grammar


OWN_PRICE = ModelConfig(price=PriceConfig(input=7.0, output=8.0))


@pytest.mark.parametrize(
    ("model", "config", "base_url", "price"),
    [
        ("gpt-4o", ModelConfig(), None, Price(2.5, 10.0, cached=1.25)),
        ("openai/gpt-4o", ModelConfig(), None, Price(2.5, 10.0, cached=1.25)),
        ("gpt-4o", OWN_PRICE, None, Price(7.0, 8.0)),
        ("gpt-4o", ModelConfig(), OWN, None),  # what somebody else's server asks for it, nobody knows
        ("gpt-4o", OWN_PRICE, OWN, Price(7.0, 8.0)),
        ("no-such-model", ModelConfig(), OWN, None),
        ("local/qwen2.5-coder-1.5b", ModelConfig(), None, Price(0.0, 0.0)),
    ],
)
def test_what_a_model_costs(
    model: str, config: ModelConfig, base_url: str | None, price: Price | None
) -> None:
    connector = a_connector(some_settings(base_url=base_url), Config(models={model: config}))
    assert connector.price_of(model) == price


@pytest.mark.parametrize("role", ["optimizer", "evaluator", "executor"])
def test_a_budget_in_usd_needs_the_price_of_every_role(role: str) -> None:
    known = Config(models={"gpt-mine": OWN_PRICE})
    models = dict.fromkeys(("optimizer", "evaluator", "executor"), "gpt-mine")
    in_usd: dict[str, Any] = {"budget": BudgetSettings(usd=1.0)}
    a_connector(some_settings(**models, **in_usd), known).check_budget()
    settings = some_settings(**{**models, role: "gpt-other"}, **in_usd)
    with pytest.raises(
        UnknownPriceError, match=r"price of gpt-other is unknown\. Set models\.gpt-other\.price"
    ):
        a_connector(settings, known).check_budget()
    # An endpoint of the user's may report what each reply costs.
    a_connector(some_settings(**{**models, role: "gpt-other"}, **in_usd, base_url=OWN), known).check_budget()


def test_other_budgets_need_no_price() -> None:
    budget = BudgetSettings(tokens=1, calls=1, minutes=1.0)
    a_connector(some_settings("a", "b", "c", base_url=OWN, budget=budget)).check_budget()


def test_known_prices_suffice_for_a_budget_in_usd() -> None:
    a_connector(some_settings(budget=BudgetSettings(usd=1.0))).check_budget()


def test_batches_of_litellm_have_their_prices_and_are_refused_before_anything_is_paid_for() -> None:
    environ = {**ENVIRON, "HOSTED_VLLM_API_BASE": OWN}
    connector = a_connector(environ=environ)
    models = {
        "xai/grok-4.3": 0.8,
        "mistral/mistral-large-latest": 0.5,
        "azure/gpt": 0.5,
        "cohere/command-r": None,
    }
    for model, share in {**models, "hosted_vllm/qwen": 1.0, "bedrock/claude": None}.items():
        assert connector.batch_share(model) == share
    assert isinstance(connector.connect("hosted_vllm/qwen").batches, OpenAIBatches)
    connector.check_batches()  # no role asks for batches
    settings = some_settings(optimizer="bedrock/claude", batch="executor")
    a_connector(settings, environ=environ).check_batches()
    settings = some_settings(executor="bedrock/claude", batch="executor")
    with pytest.raises(
        BadRequestError, match=r"bedrock/claude cannot be in batches: litellm .*without --batch"
    ):
        a_connector(settings, environ=environ).check_batches()
