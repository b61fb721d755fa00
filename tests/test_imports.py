"""What each front door imports, seen from a process of its own: start-up time is a promise."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.command_line import places, write_template
from tests.model_server import ModelServer
from tests.spo_model import climbing

HEAVY = {
    "aiohttp",
    "asyncio",
    "httpx",
    "litellm",
    "rich",
    "textual",
    "tiktoken",
    "openai",
    "pydantic",
    "xllamacpp",
}
COMMAND = "from spotui.cli import main\ntry: main({words!r})\nexcept SystemExit: pass\n"


@pytest.fixture(scope="module")
def server() -> Iterator[ModelServer]:
    with ModelServer(climbing) as model:
        yield model


def modules_after(code: str, folder: Path) -> set[str]:
    """The names of all modules a fresh interpreter has once it ran some code."""
    told = folder / "modules"
    tell = f"import sys; open({str(told)!r}, 'w').write(chr(10).join(sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", f"{code}\n{tell}"],
        env=places(folder),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return set(told.read_text().split())


def packages(modules: set[str]) -> set[str]:
    return {name.partition(".")[0] for name in modules}


def test_importing_spotui_imports_no_other_package(tmp_path: Path) -> None:
    modules = modules_after("import spotui; dir(spotui); spotui.__version__", tmp_path)

    assert packages(modules) <= packages(modules_after("import typing", tmp_path)) | {"spotui"}
    assert {name for name in modules if name.startswith("spotui")} == {
        "spotui",
        "spotui.domain",
        "spotui.domain.version",
    }


def test_light_verbs_import_nothing_heavy(tmp_path: Path) -> None:
    verbs = (["--help"], ["--version"], ["list"], ["run", "--help"], ["locate"])
    modules = modules_after("".join(COMMAND.format(words=words) for words in verbs), tmp_path)

    assert "spotui.cli" in modules
    assert not packages(modules) & HEAVY


@pytest.mark.parametrize("how", ["--plain", "--json"])
def test_a_run_on_an_openai_compatible_server_imports_its_client_and_no_more(
    how: str, server: ModelServer, tmp_path: Path
) -> None:
    words = ["run", write_template(tmp_path), "--model", "m", "--base-url", server.base_url]
    words += ["--max-rounds", "2", how]
    modules = packages(modules_after(COMMAND.format(words=words), tmp_path))

    assert {"aiohttp", "asyncio", "tiktoken"} <= modules
    others = {"aiolimiter", "httpx", "litellm", "textual", "openai", "pydantic", "xllamacpp", "pip"}
    assert not modules & others


def test_going_on_with_a_finished_run_imports_no_client(server: ModelServer, tmp_path: Path) -> None:
    words = ["run", write_template(tmp_path), "--model", "m", "--base-url", server.base_url]
    words += ["--name", "finished", "--max-rounds", "2", "--plain"]
    modules_after(COMMAND.format(words=words), tmp_path)
    asked = len(server.requests)

    modules = packages(modules_after(COMMAND.format(words=["resume", "finished", "--plain"]), tmp_path))

    assert len(server.requests) == asked
    assert not modules & {"aiohttp", "httpx", "litellm", "textual"}


def test_judging_is_arithmetic_and_text(tmp_path: Path) -> None:
    code = "from spotui.judging import decision, final_check, ranking, reliability, votes"

    modules = modules_after(code, tmp_path)
    assert not packages(modules) & (HEAVY | {"socket", "ssl", "threading", "yaml"})
    assert not {
        name for name in modules if name.startswith(("spotui.llm", "spotui.engine", "spotui.workspace"))
    }


def test_a_client_of_the_wire_has_no_engine(tmp_path: Path) -> None:
    modules = modules_after("import spotui.wire.socket, spotui.view.picture, spotui.view.word_diff", tmp_path)

    floors = (
        "spotui.engine",
        "spotui.llm",
        "spotui.runs",
        "spotui.methods",
        "spotui.judging",
        "spotui.settings",
    )
    assert not {name for name in modules if name.startswith(floors)}
    assert not packages(modules) & (HEAVY - {"asyncio"})


def test_the_interface_of_the_reference_starts_without_a_provider(tmp_path: Path) -> None:
    modules = modules_after("from spotui.api import SPO_LLM, PromptOptimizer; PromptOptimizer()", tmp_path)

    assert not packages(modules) & (HEAVY - {"asyncio"})


def test_the_screen_asks_no_model_itself(tmp_path: Path) -> None:
    shown = (
        "answers_screen",
        "try_screen",
        "template.source",
    )
    modules = modules_after(f"import {', '.join(f'spotui.tui.{name}' for name in shown)}", tmp_path)

    assert not packages(modules) & (HEAVY - {"asyncio", "rich", "textual"})
    floors = ("spotui.llm", "spotui.runs.", "spotui.engine")
    assert {name for name in modules if name.startswith(floors)} <= {"spotui.runs.check"}
