"""spotui export: other tools, registries, and back to the source."""

import json
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from spotui.cli import main
from spotui.templates.exchange.source import Source
from tests.cli.conftest import Shell
from tests.command_line import move_in
from tests.model_server import ModelServer

CONFIG = """\
prompts:
  - "Be kind: {{question}}"   # live
  - |
    [{"role": "system", "content": "You help."}, {"role": "user", "content": "{{question}}"}]
providers: [echo]
tests:
  - {vars: {question: [Where?, When?, Who?, Why?]}, assert: [{type: llm-rubric, value: Is kind}]}
"""


@pytest.fixture(scope="session")
def brought(tmp_path_factory: pytest.TempPathFactory, model: ModelServer) -> Path:
    """A home with runs on both prompts of a configuration."""
    folder = tmp_path_factory.mktemp("brought")
    with pytest.MonkeyPatch.context() as patch:
        move_in(patch, folder, OPENAI_API_KEY="sk-the-key", OPENAI_BASE_URL=model.base_url)
        patch.chdir(folder)
        Path("evals").mkdir()
        Path("evals/promptfooconfig.yaml").write_text(CONFIG)
        assert main(["import", "evals", "--output", "qa.yaml"]) == 0
        for number in (1, 2):
            words = ["run", f"qa-{number}.yaml", "--model", "test-model", "--max-rounds", "2"]
            assert main(words) == (3 if number == 1 else 0)  # its proposals lose the slot
    return folder


@pytest.fixture
def home_of_runs(brought: Path, monkeypatch: pytest.MonkeyPatch, model: ModelServer) -> Path:
    """The same as the home of a test."""
    move_in(monkeypatch, brought, OPENAI_API_KEY="sk-the-key", OPENAI_BASE_URL=model.base_url)
    monkeypatch.chdir(brought)
    return brought


def test_promptfoo_has_prompt_and_tests(shell: Shell, home_of_runs: Path) -> None:
    done = shell("export", "qa-1", "--to", "promptfoo", "--round", "seed", "-o", "out.yaml")
    assert (done.code, done.out) == (0, "Wrote out.yaml.\n")
    config = Source(Path("out.yaml")).document
    assert config["prompts"] == ["Be kind: {{question}}"]
    assert config["providers"] == ["openai:chat:test-model"]
    assert {test["vars"]["question"] for test in config["tests"]} == {"Where?", "When?", "Who?", "Why?"}
    assert config["defaultTest"]["assert"] == [{"type": "llm-rubric", "value": "Is kind"}]


def test_a_system_prompt_stays_one(shell: Shell, home_of_runs: Path) -> None:
    best = shell("best", "qa-2").out.strip()
    messages = json.loads(shell("export", "qa-2", "--to", "messages").out)
    assert messages == [{"role": "system", "content": best}, {"role": "user", "content": "{{question}}"}]
    module: dict[str, Any] = {}
    exec(shell("export", "qa-2", "--to", "python").out, module)  # noqa: S102 - ours
    assert module["messages"]("Hi?")[-1] == {"role": "user", "content": "Hi?"}
    program = json.loads(shell("export", "qa-2", "--to", "dspy").out)
    assert program["signature"]["instructions"] == best
    assert program["metadata"]["spotui"]["project"] == "qa-2"


def test_what_was_imported_returns_to_its_source_with_one_command(shell: Shell, home_of_runs: Path) -> None:
    source = home_of_runs / "evals" / "promptfooconfig.yaml"
    best = shell("best", "qa-2").out.strip()

    shown = shell("export", "qa-2", "--to", "source")
    assert source.read_text() == CONFIG
    assert shown.out == CONFIG.replace("You help.", best)
    assert "--replace writes it there" in shown.err

    try:
        assert shell("export", "qa-2", "--to", "source", "--replace").out == f"Wrote {source}.\n"
        assert source.read_text() == CONFIG.replace("You help.", best)
        again = shell("export", "qa-2", "--to", "source", "--replace")
        assert (again.code, "has changed" in again.err) == (1, True)
    finally:
        source.write_text(CONFIG)


def test_what_cannot_be_done_is_named(shell: Shell, home_of_runs: Path, workspace: Path) -> None:
    for words, code, said in (
        (("qa-1", "--replace"), 2, "--replace is for --to source."),
        (("qa-1", "--to", "langfuse"), 1, "LANGFUSE_PUBLIC_KEY is not set"),
        (("qa-1", "--to", "mlflow"), 1, "MLFLOW_TRACKING_URI is not set"),
        (
            ("why", "--to", "source", "--workspace", str(workspace)),
            1,
            "was not imported, so it has no source",
        ),
    ):
        done = shell("export", *words)
        assert (done.code, done.out) == (code, "")
        assert said in done.err


class Registry:
    """Stands in for the package of a registry, and keeps what it is given."""

    def __init__(self, **options: Any) -> None:
        self.options = options

    taken: dict[str, Any] | None = None

    @classmethod
    def create_prompt(cls, **values: Any) -> SimpleNamespace:
        if values["name"] == "bad":
            raise ValueError("refused with pk-secret")
        cls.taken = values
        return SimpleNamespace(version=7)


def test_langfuse_gets_a_version_with_the_figures_of_the_run(
    shell: Shell, home_of_runs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = ModuleType("langfuse")
    package.Langfuse = Registry  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "langfuse", package)
    monkeypatch.setenv("LANGFUSE_PUBLIC_KEY", "pk-secret")
    monkeypatch.setenv("LANGFUSE_SECRET_KEY", "sk-secret")

    done = shell("export", "qa-2", "--to", "langfuse", "--as", "support")

    assert (done.err, done.out) == ("", "support has a new version in langfuse: 7.\n")
    assert Registry.taken is not None
    assert (Registry.taken["type"], Registry.taken["labels"]) == ("chat", [])
    assert Registry.taken["prompt"][0]["role"] == "system"
    assert Registry.taken["config"]["spotui"]["rounds"] == 2
    refused = shell("export", "qa-2", "--to", "langfuse", "--as", "bad")
    assert "langfuse does not take the prompt: refused with ***" in refused.err
    monkeypatch.setitem(sys.modules, "langfuse", None)
    assert "pip install 'spotui[langfuse]'" in shell("export", "qa-2", "--to", "langfuse").err


def test_mlflow_gets_a_version_with_tags(
    shell: Shell, home_of_runs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken: dict[str, Any] = {}

    def register_prompt(**values: Any) -> SimpleNamespace:
        taken.update(values)
        return SimpleNamespace(version=2)

    genai = ModuleType("mlflow.genai")
    genai.register_prompt = register_prompt  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "mlflow", ModuleType("mlflow"))
    monkeypatch.setitem(sys.modules, "mlflow.genai", genai)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "file:///tmp/none")

    assert shell("export", "qa-1", "--to", "mlflow").out == "qa-1 has a new version in mlflow: 2.\n"
    assert isinstance(taken["template"], str)
    assert taken["tags"]["spotui.project"] == "qa-1"
    assert all(isinstance(value, str) for value in taken["tags"].values())
