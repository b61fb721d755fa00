"""Replies out of a file, for the tour and for dry runs."""

import asyncio
from pathlib import Path

import pytest

from spotui.domain.calls import Reply, Request
from spotui.domain.messages import Message
from spotui.llm.protocol import BadRequestError, Delta
from spotui.llm.providers.playback import ScriptedProvider
from tests.llm import virtual_time

SCRIPT = """
- when: two and two
  replies: [four, "4"]
- when: poem
  replies: ["Roses are red, and the rest of it is a little longer than a piece."]
  seconds: 3
- replies: [anything]
"""


def a_script(folder: Path, text: str = SCRIPT) -> Path:
    path = folder / "script.yaml"
    path.write_text(text)
    return path


async def ask(provider: ScriptedProvider, *texts: str, deltas: list[Delta] | None = None) -> list[Reply]:
    heard = deltas if deltas is not None else []
    return [await provider.complete(Request("m", (Message("user", text),)), heard.append) for text in texts]


def test_the_first_rule_that_fits_answers_in_turn(tmp_path: Path) -> None:
    provider = ScriptedProvider(a_script(tmp_path))
    asked = ("What is two and two?", "Again: two and two?", "And two and two?", "Hello")
    replies = asyncio.run(ask(provider, *asked))
    assert [reply.text for reply in replies] == ["four", "4", "four", "anything"]
    assert {reply.cost_usd for reply in replies} == {0.0}


def test_a_reply_takes_its_time_and_comes_in_pieces(tmp_path: Path) -> None:
    deltas: list[Delta] = []

    async def main() -> tuple[Reply, float]:
        clock = asyncio.get_running_loop().time
        began = clock()
        [reply] = await ask(ScriptedProvider(a_script(tmp_path)), "Write a poem", deltas=deltas)
        return reply, clock() - began

    reply, seconds = virtual_time.run(main())
    assert seconds == pytest.approx(3) == reply.seconds
    assert len(deltas) == 3
    assert "".join(delta.text for delta in deltas) == reply.text


def test_an_empty_reply_is_a_reply(tmp_path: Path) -> None:
    [reply] = asyncio.run(ask(ScriptedProvider(a_script(tmp_path, '- replies: [""]\n')), "Hello"))
    assert reply.text == ""


def test_half_a_character_is_no_character(tmp_path: Path) -> None:
    [reply] = asyncio.run(ask(ScriptedProvider(a_script(tmp_path, '- replies: ["grin \\ud83d"]\n')), "Hello"))
    assert reply.text == "grin \ufffd"


def test_without_a_rule_it_says_which_one_is_missing(tmp_path: Path) -> None:
    provider = ScriptedProvider(a_script(tmp_path, "- when: poem\n  replies: [x]\n"))
    with pytest.raises(BadRequestError, match=r"no rule for: 'Hello'.*Add one without 'when'"):
        asyncio.run(ask(provider, "Hello"))


@pytest.mark.parametrize(
    "text", ["replies: [x]", "- replies: []", "- replys: [x]", "- replies: [1]", "- {", "", "- replies: \x00"]
)
def test_a_script_of_the_wrong_shape(tmp_path: Path, text: str) -> None:
    with pytest.raises(BadRequestError, match=r"script\.yaml cannot be used: .*It is a YAML list"):
        ScriptedProvider(a_script(tmp_path, text))


def test_a_script_that_is_missing_or_no_text(tmp_path: Path) -> None:
    (tmp_path / "bytes").write_bytes(b"\xff\xfe\xff")
    for path in (tmp_path / "missing", tmp_path, tmp_path / "bytes"):
        with pytest.raises(BadRequestError, match="cannot be used"):
            ScriptedProvider(path)
