"""Replies that repeat one passage without end are ended, and nothing else is."""

import asyncio
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spotui.domain.events import CallDropped, CallFinished, Noticed
from spotui.domain.records import CallLine
from spotui.llm.loops import LoopWatch, ends_in_loop
from spotui.llm.protocol import Delta
from tests.llm.opening import PRICE, a_key, a_request, an_open_door, run
from tests.model_server import ModelServer

SENTENCE = "The model will also explain the antecedent of the pronoun in the sentence.\n"
LOOP = "<analyse>It is vague.</analyse>\n<prompt>Answer the question.\n" + SENTENCE * 400


@pytest.mark.parametrize("text", [SENTENCE * 40, " " * 5000, "No. " * 400, f"{'a' * 99}b" * 20, "诶，" * 700])
def test_one_passage_over_and_over_is_a_loop(text: str) -> None:
    assert ends_in_loop("Sure. " + text)


def letters(number: int) -> str:
    return chr(65 + number // 26 % 26) + chr(65 + number % 26)


@pytest.mark.parametrize(
    "text",
    [
        " ".join(f'Premise {one}: If {letters(one)}, then {letters(one + 1)}."' for one in range(300)),
        "\n".join(f"{number}. Read the sentence, then name the noun." for number in range(200)),
        "\n".join(f"Step {900 - 2 * number}: go on." for number in range(400)),
        "".join(f"| {number} | yes | no |\n" for number in range(300)),
        "".join(f"Let {letters(number)} be a premise. " for number in range(400)),
    ],
)
def test_so_is_one_that_counts(text: str) -> None:
    assert ends_in_loop("Sure. " + text)


@pytest.mark.parametrize(
    "text",
    [
        SENTENCE * 12,
        SENTENCE * 40 + "But that is enough.",
        "\n".join(f"{number}. Read the sentence, then name the noun." for number in range(60)),
        "".join(
            f"| {number} | yes | {'no' if number * number % 13 > 5 else 'maybe'} |\n" for number in range(300)
        ),
        "".join(f"Question: {number * number % 97} + {number % 31}? Answer it.\n" for number in range(300)),
        ("".join(f"Rule {number}: be brief. " for number in range(12)) + "\n") * 5,
        "Words that go on, each of them new: " + " ".join(str(number * number) for number in range(900)),
    ],
)
def test_lists_tables_and_a_few_repetitions_are_none(text: str) -> None:
    assert not ends_in_loop(text)


@given(
    passage=st.text(min_size=1, max_size=200),
    before=st.text(max_size=300),
    size=st.integers(1, 120),
)
def test_every_short_passage_is_found_soon_after_it_filled_the_end(
    passage: str, before: str, size: int
) -> None:
    watch, text = LoopWatch(), before + passage * (2000 // len(passage) + 1)
    for start in range(0, len(before) + 1600, size):
        watch.take(Delta(text=text[start : start + size]))
    assert watch.found


def test_a_reply_in_a_loop_is_ended_kept_and_counted(tmp_path: Path) -> None:
    async def main(base_url: str) -> None:
        async with an_open_door(base_url, tmp_path) as opened:
            ask = opened.door.ask(a_key(purpose="propose"), a_request(), ends_loops=True)
            reply = await asyncio.wait_for(ask, 10)
            assert reply.is_loop
            assert reply.finish_reason == "length"
            assert LOOP.startswith(reply.text)
            assert 1200 < len(reply.text) < 3000
            assert reply.usage.estimated
            assert reply.cost_usd == PRICE.cost(reply.usage.prompt_tokens, reply.usage.completion_tokens)
            assert [one.finish_reason for one in opened.told(CallFinished)] == ["loop"]
            (notice,) = opened.told(Noticed)
            assert "repeated one passage without end" in notice.text
            assert not opened.told(CallDropped)
        async with an_open_door("http://127.0.0.1:1/v1", tmp_path) as opened:
            again = await opened.door.ask(a_key(purpose="propose"), a_request(), ends_loops=True)
            assert again == reply
            assert [type(line) for line in opened.lines()] == [CallLine]

    with ModelServer(lambda _: LOOP, pause=0.01, chunks=600) as server:
        run(main(server.base_url))


def test_an_answer_may_repeat_itself(tmp_path: Path) -> None:
    async def main(base_url: str) -> None:
        async with an_open_door(base_url, tmp_path) as opened:
            assert (await opened.door.ask(a_key(), a_request())).text == LOOP.strip()

    with ModelServer(lambda _: LOOP.strip()) as server:
        run(main(server.base_url))
