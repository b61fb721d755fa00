"""What is imported before a verb has anything to say: time to start is a promise."""

import resource
import subprocess
import sys
from pathlib import Path

import pytest

from tests.command_line import places

CODE = """
import sys
from spotui.cli import main
try:
    main(sys.argv[1:])
except SystemExit:
    pass
print(*sys.modules, file=sys.stderr)
"""

HEAVY = {
    "aiohttp",
    "asyncio",
    "httpx",
    "litellm",
    "rich",
    "textual",
    "tiktoken",
    "xllamacpp",
    "yaml",
    "spotui.llm",
    "ssl",
}


def imported(home: Path, *words: str) -> set[str]:
    done = subprocess.run(
        [sys.executable, "-c", CODE, *words], env=places(home), capture_output=True, text=True, check=True
    )
    return set(done.stderr.split())


@pytest.mark.parametrize("words", [["--help"], ["run", "--help"], ["list"], ["best", "why"]])
@pytest.mark.usefixtures("workspace")
def test_what_only_a_run_needs_is_not_imported(home: Path, words: list[str]) -> None:
    assert imported(home, *words) & HEAVY == set()


@pytest.mark.usefixtures("workspace")
def test_a_table_of_rounds_reads_run_yaml_for_its_columns_and_imports_no_more(home: Path) -> None:
    assert imported(home, "show", "why") & HEAVY == {"yaml"}


def test_help_does_not_even_import_the_verbs(home: Path) -> None:
    verbs = {name for name in imported(home, "--help") if name.startswith("spotui.cli.")}
    assert verbs == {"spotui.cli.exit_codes", "spotui.cli.terminal"}


def test_checking_a_template_imports_no_provider(home: Path, template: str) -> None:
    assert imported(home, "check", template) & (HEAVY - {"yaml"}) == set()


@pytest.mark.parametrize("words", [["--help"], ["list"]])
@pytest.mark.usefixtures("workspace")
def test_it_starts_at_once(home: Path, words: list[str]) -> None:
    def seconds(*command: str) -> float:
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run([sys.executable, *command], env=places(home), check=True, capture_output=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime

    # Time on the processor beside that of a bare interpreter, and the best of some: what others take of a
    # busy machine is not the program's.
    bare, ours = (
        min(seconds(*command) for _ in range(5)) for command in (["-c", ""], ["-m", "spotui", *words])
    )
    assert ours < 10 * bare
