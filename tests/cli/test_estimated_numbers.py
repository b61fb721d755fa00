"""A tilde marks every number that is an estimate, wherever it is shown, and no other number."""

import re
from pathlib import Path

import pytest

from spotui.settings.config_file import ModelConfig, PriceConfig
from spotui.settings.save import save_model
from tests.cli.conftest import Shell
from tests.model_server import ModelServer, Scripted
from tests.model_server.scripted import JsonObject
from tests.spo_model import climbing

MONEY = re.compile(r"(~?)(?:under )?\$\d")
TOKENS = re.compile(r"(~?)[\d.]+[kM]?(?= tok| out| \| ~?\$|  +~?\$\d\.\d+  +\d+\.\d s)")


def marks(text: str) -> set[str]:
    """The marks in front of the numbers of tokens and the amounts of money in a text."""
    assert TOKENS.search(text), text
    return {*MONEY.findall(text), *TOKENS.findall(text)}


@pytest.mark.parametrize("is_reported", [True, False])
def test_a_tilde_marks_what_a_run_took(
    shell: Shell, template: str, monkeypatch: pytest.MonkeyPatch, is_reported: bool
) -> None:
    def answer(request: JsonObject) -> Scripted:
        usage = {"prompt_tokens": 9000, "completion_tokens": 1000}
        return Scripted(str(climbing(request)), usage=usage if is_reported else False)

    name = Path(template).stem
    with ModelServer(answer) as server:
        monkeypatch.setenv("OPENAI_BASE_URL", server.base_url)
        save_model("priced", ModelConfig(base_url=server.base_url, price=PriceConfig(input=1.0, output=2.0)))
        # One call at a time: those that are cancelled in flight count as estimates.
        ran = shell("run", template, "--model", "priced", "--max-rounds", "2", "--concurrency", "1", "--yes")
        shown = [shell(*words).out for words in (["show", name], ["export", name, "--format", "markdown"])]
        listed = shell("list").out
        tried = shell("test", name, "Why?")
    mark = "" if is_reported else "~"
    assert ran.code == 0, ran.err
    assert [marks(text) for text in (ran.out, *shown, tried.err)] == [{mark}] * 4
    assert MONEY.findall(listed) == [mark]
