"""Who wins: a typed flag, the environment, the template, the config file, the default."""

from pathlib import Path

import msgspec
import pytest

from spotui.settings.config_file import ConfigFile, parse_config
from spotui.settings.errors import SettingsError
from spotui.settings.resolve import Flags, Resolution, SourceKind, known_variables, resolve, template_roles
from spotui.settings.table import DEFAULT_MODEL, SETTINGS, RunSettings


def settled(
    flags: Flags | None = None,
    environ: dict[str, str] | None = None,
    template: object = None,
    config: str = "",
) -> Resolution:
    file = parse_config(config, Path("config.yaml"))
    roles = {} if template is None else template_roles(template)
    return resolve(flags or Flags(), environ or {}, roles, file)


def test_the_defaults_are_the_references_and_the_model_is_the_embedded_one() -> None:
    found = settled()
    roles = found.settings.roles
    assert {roles.optimizer.model, roles.evaluator.model, roles.executor.model} == {DEFAULT_MODEL}
    assert (roles.optimizer.temperature, roles.evaluator.temperature) == (0.7, 0.3)
    assert roles.executor.temperature == 0
    assert roles.of("executor") == roles.executor
    assert found.settings.max_rounds == 10
    assert found.settings.sample == 3
    assert found.settings.seed == 0
    assert found.settings.reference_answers
    assert found.settings.budget.usd is None
    assert (found.settings.retry.tries, found.settings.retry.seconds) == (5, 120)
    assert found.settings.retry.enabled
    assert found.sources["run.max_rounds"].is_default
    assert found.warnings == ()
    assert set(found.sources) == {setting.key for setting in SETTINGS}


def test_the_calls_at_once_can_be_a_default_of_the_config_file() -> None:
    found = settled(config="run: {concurrency: 4}\n")
    assert found.settings.concurrency == 4
    assert str(found.sources["run.concurrency"]) == "config line 1"
    assert settled(Flags(concurrency="none"), config="run: {concurrency: 4}\n").settings.concurrency is None
    assert settled(environ={"SPOTUI_CONCURRENCY": "2"}).settings.concurrency == 2


CONFIG = "roles: {optimizer: {model: from-config}}\n"


def test_each_source_beats_those_after_it() -> None:
    flags = Flags(opt_model="from-flag")
    environ = {"SPOTUI_OPT_MODEL": "from-environment"}
    template = {"optimizer": "from-template"}
    seen = [
        settled(flags, environ, template, CONFIG),
        settled(None, environ, template, CONFIG),
        settled(None, None, template, CONFIG),
        settled(None, None, None, CONFIG),
        settled(),
    ]
    models = [(one.settings.roles.optimizer.model, str(one.sources["roles.optimizer.model"])) for one in seen]
    assert models == [
        ("from-flag", "flag --opt-model"),
        ("from-environment", "environment SPOTUI_OPT_MODEL"),
        ("from-template", "template"),
        ("from-config", "config line 1"),
        (DEFAULT_MODEL, "default"),
    ]
    assert [one.sources["roles.optimizer.model"].kind for one in seen] == list(SourceKind)


def test_one_model_for_all_roles_gives_way_to_a_roles_own() -> None:
    found = settled(None, {"SPOTUI_MODEL": "all", "SPOTUI_EVAL_MODEL": "own"})
    models = [found.settings.roles.of(role).model for role in ("optimizer", "evaluator", "executor")]
    assert models == ["all", "own", "all"]
    assert str(found.sources["roles.executor.model"]) == "environment SPOTUI_MODEL"
    typed = settled(Flags(model="typed"), {"SPOTUI_EVAL_MODEL": "own"})
    assert typed.settings.roles.evaluator.model == "typed"
    assert str(typed.sources["roles.evaluator.model"]) == "flag --model"


def test_a_typed_value_equal_to_the_default_still_beats_the_file() -> None:
    config = "run: {max_rounds: 3, reference_answers: false}\nroles: {executor: {temperature: 1}}\n"
    found = settled(Flags(max_rounds=10, reference_answers=True, exec_temp=0), None, None, config).settings
    assert (found.max_rounds, found.reference_answers, found.roles.executor.temperature) == (10, True, 0)
    assert settled(Flags(), None, None, config).settings.max_rounds == 3


def test_an_empty_variable_is_one_that_is_not_set() -> None:
    found = settled(None, {"SPOTUI_MODEL": "", "SPOTUI_SAMPLE": "  "}, None, "run: {sample: 5}")
    assert found.settings.sample == 5
    assert found.settings.roles.executor.model == DEFAULT_MODEL


def test_the_reference_s_own_models_have_one_short_name() -> None:
    found = settled(Flags(model="reference"))
    models = [found.settings.roles.of(role).model for role in ("optimizer", "evaluator", "executor")]
    assert models == ["claude-3-5-sonnet-20240620", "gpt-4o-mini", "gpt-4o-mini"]
    assert str(found.sources["roles.optimizer.model"]) == "flag --model: the reference's model"


def test_a_limit_of_the_file_is_lifted_by_none() -> None:
    config = "budget: {usd: 1.5, calls: 9}\nretry: {tries: 3, seconds: 9}\n"
    found = settled(Flags(budget_usd="none"), {"SPOTUI_BUDGET_CALLS": "None"}, None, config).settings
    assert (found.budget.usd, found.budget.calls) == (None, None)
    once = settled(None, {"SPOTUI_TRIES": "none", "SPOTUI_RETRY_SECONDS": "none"}, None, config).settings
    assert not once.retry.enabled
    assert settled(None, None, None, "retry: {tries: null, seconds: 5}").settings.retry.enabled
    assert settled(Flags(opt_temp="none")).settings.roles.optimizer.temperature is None


def test_null_in_the_file_beats_the_default_but_an_absent_key_does_not() -> None:
    found = settled(None, None, None, "retry: {tries: null}\nroles: {optimizer: {temperature: null}}\n")
    assert found.settings.retry.tries is None
    assert found.settings.retry.seconds == 120
    assert found.settings.roles.optimizer.temperature is None
    assert found.settings.roles.evaluator.temperature == 0.3


def test_a_template_sets_only_what_it_names() -> None:
    config = "roles:\n  executor: {model: gpt-4o, temperature: 0.5}\n"
    found = settled(None, None, {"executor": {"max_tokens": 50}, "evaluator": "gpt-4o-mini"}, config)
    executor = found.settings.roles.executor
    assert (executor.model, executor.temperature, executor.max_tokens) == ("gpt-4o", 0.5, 50)
    assert found.settings.roles.evaluator.model == "gpt-4o-mini"
    assert str(found.sources["roles.executor.max_tokens"]) == "template"
    assert str(found.sources["roles.executor.temperature"]) == "config line 2"


def test_a_wrong_template_names_its_lines() -> None:
    with pytest.raises(SettingsError) as caught:
        template_roles(
            {"evalutor": "x", "executor": {"temprature": 1}}, "Poem.yaml", lambda keys: 7 + len(keys)
        )
    assert [problem.where for problem in caught.value.problems] == ["Poem.yaml, line 8", "Poem.yaml, line 9"]
    with pytest.raises(SettingsError, match="models must be a mapping"):
        template_roles(["gpt-4o"])


def test_the_timeout_of_the_model_stands_in_for_the_roles() -> None:
    config = "models: {slow: {timeout: 300}}\nroles: {executor: {model: slow, timeout: 20}}\n"
    found = settled(Flags(opt_model="slow", eval_model="gpt-4o"), None, None, config)
    roles = found.settings.roles
    assert (roles.optimizer.timeout, roles.evaluator.timeout, roles.executor.timeout) == (300, 120, 20)
    assert str(found.sources["roles.optimizer.timeout"]) == "config line 1"
    assert settled(None, {"SPOTUI_TIMEOUT": "9"}, None, config).settings.roles.executor.timeout == 9


def test_an_embedded_model_gets_more_time() -> None:
    roles = settled(Flags(opt_model="gpt-4o")).settings.roles
    assert roles.executor.timeout > roles.optimizer.timeout


@pytest.mark.parametrize(
    ("evaluator", "judge", "settled_judge", "source"),
    [
        ("local/any", None, "likelihood", "default: auto, with an embedded evaluator"),
        ("gpt-4o-mini", None, "balanced", "default: auto, with a hosted evaluator"),
        ("gpt-4o-mini", "auto", "balanced", "flag --judge: auto, with a hosted evaluator"),
        ("local/any", "balanced", "balanced", "flag --judge"),
        ("gpt-4o-mini", "likelihood", "likelihood", "flag --judge"),
        ("local/any", "reference", "reference", "flag --judge"),
    ],
)
def test_the_judge_follows_the_evaluator_unless_it_is_chosen(
    evaluator: str, judge: str | None, settled_judge: str, source: str
) -> None:
    found = settled(Flags(eval_model=evaluator, judge=judge, opt_model="gpt-4o", exec_model="gpt-4o"))
    assert found.settings.judge == settled_judge
    assert str(found.sources["run.judge"]) == source


def test_wrong_flags_and_variables_are_told_together() -> None:
    flags = Flags(opt_temp="hot", max_rounds=0, judge="balnced", model="", sample=True)
    with pytest.raises(SettingsError) as caught:
        settled(flags, {"SPOTUI_SEED": "-1", "SPOTUI_BASE_URL": "localhost"})
    wheres = [problem.where for problem in caught.value.problems]
    assert wheres == [
        "--max-rounds",
        "--sample",
        "SPOTUI_SEED",
        "--judge",
        "SPOTUI_BASE_URL",
        "--model",
        "--opt-temp",
    ]
    assert caught.value.problems[3].hint == "Did you mean balanced?"


@pytest.mark.parametrize(("text", "value"), [("1e3", 1000), (" 7 ", 7), ("7.0", 7)])
def test_numbers_may_be_written_as_people_do(text: str, value: int) -> None:
    assert settled(Flags(budget_tokens=text)).settings.budget.tokens == value
    assert settled(Flags(budget_tokens=float(text))).settings.budget.tokens == value


@pytest.mark.parametrize("text", ["nan", "inf", "1_0", "0x10", "9" * 5000, "none", "-1", "1,5"])
def test_other_texts_are_no_number_of_rounds(text: str) -> None:
    with pytest.raises(SettingsError, match="--max-rounds"):
        settled(Flags(max_rounds=text))


@pytest.mark.parametrize(
    ("text", "value"), [("yes", True), ("on", True), ("1", True), ("OFF", False), ("no", False)]
)
def test_switches_take_the_usual_words(text: str, value: bool) -> None:
    assert settled(None, {"SPOTUI_REFERENCE_ANSWERS": text}).settings.reference_answers is value


def test_an_unknown_variable_is_a_warning_with_the_nearest_name() -> None:
    environ = {
        "SPOTUI_OPT_MODLE": "x",
        "SPOTUI_WORKSPCE": "x",
        "SPOTUI_QQQ": "x",
        "SPOTUI_API_KEY": "sk-secret",
        "OTHER": "x",
    }
    warnings = settled(None, environ).warnings
    assert [(one.where, one.hint) for one in warnings] == [
        (
            "SPOTUI_API_KEY",
            "Keys are read from OPENAI_API_KEY, or from the variable that api_key_env names.",
        ),
        ("SPOTUI_OPT_MODLE", "Did you mean SPOTUI_OPT_MODEL?"),
        ("SPOTUI_QQQ", "'spotui settings' lists all of them."),
        ("SPOTUI_WORKSPCE", "Did you mean SPOTUI_WORKSPACE?"),
    ]
    assert "sk-secret" not in str(warnings)


def test_no_known_variable_is_warned_about() -> None:
    for variable in known_variables():
        assert not settled(None, {variable: ""}).warnings
    for variable in ("SPOTUI_WORKSPACE", "SPOTUI_CONFIG", "SPOTUI_DATA_DIR"):
        assert not settled(None, {variable: "/somewhere"}).warnings


def test_the_settings_of_a_run_are_stored_and_read_back_unchanged() -> None:
    settings = settled(Flags(base_url="http://127.0.0.1:8000/v1", budget_usd=1, opt_temp="none")).settings
    assert msgspec.convert(msgspec.to_builtins(settings), RunSettings) == settings
    assert msgspec.json.decode(msgspec.json.encode(settings), type=RunSettings) == settings


def test_a_url_with_a_password_never_reaches_the_settings() -> None:
    with pytest.raises(SettingsError) as caught:
        settled(Flags(base_url="https://me:hunter2@host/v1"))
    assert "hunter2" not in str(caught.value)


def test_no_file_is_as_good_as_an_empty_one() -> None:
    assert resolve(Flags(), {}, {}, ConfigFile()) == settled()


@pytest.mark.parametrize(
    ("judge", "asked", "checks"),
    [
        ("balanced", None, True),
        ("likelihood", None, True),
        ("reference", None, False),
        ("reference", True, True),
        ("thorough", False, False),
    ],
)
def test_the_reference_has_no_final_check_unless_it_is_asked_for(
    judge: str, asked: bool | None, checks: bool
) -> None:
    found = settled(Flags(model="gpt-4o", judge=judge, final_check=asked))
    assert found.settings.final_check == checks


@pytest.mark.parametrize(("text", "judges"), [("a/b, c", ("a/b", "c")), ("x", ("x",)), ("m", ())])
def test_more_judges_are_named_with_commas_between_them(text: str, judges: tuple[str, ...]) -> None:
    for found in (
        settled(Flags(model="m", judges=text)),
        settled(Flags(model="m"), None, None, f"run: {{judges: '{text}'}}"),
    ):
        assert found.settings.panel == ("m", *judges)  # the evaluator has no second vote
    assert settled(Flags(model="m")).settings.judges == ()


@pytest.mark.parametrize("text", ["a,,b", "a b", ","])
def test_a_list_of_judges_with_a_gap_is_refused(text: str) -> None:
    with pytest.raises(SettingsError, match="must be model ids with commas between them"):
        settled(Flags(judges=text))
