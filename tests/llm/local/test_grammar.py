import asyncio
import re
from pathlib import Path

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spotui.engine.propose import fold
from spotui.llm.local.grammar import tagged_grammar
from spotui.llm.local.server import LocalServer, literal_grammar, literal_text

PIECE = re.compile(
    r'"(?P<literal>[^"]*)"|(?P<set>\[[^\]]*\])|(?P<rule>[a-z]+\d*)|(?P<sign>[|*?]|\{\d+,\d+\})|\s+'
)


def as_pattern(grammar: str) -> re.Pattern[str]:
    """The texts that a grammar without recursion allows, as a regular expression."""
    rules = dict(line.split(" ::= ") for line in grammar.splitlines())

    def pattern(rule: str) -> str:
        return "(?:" + "".join(map(translated, PIECE.finditer(rules[rule]))) + ")"

    def translated(piece: re.Match[str]) -> str:
        match piece.lastgroup:
            case "literal":
                return re.escape(piece["literal"].replace("\\n", "\n"))
            case "rule":
                return pattern(piece["rule"])
            case _:
                return piece[0].strip()

    return re.compile(pattern("root"))


def allows(refused: list[str], text: str) -> bool:
    grammar = tagged_grammar({"why": 40, "prompt": 40}, refused=refused)
    return bool(as_pattern(grammar).fullmatch(f"<why>so</why>\n<prompt>{text}</prompt>"))


@pytest.mark.parametrize(
    "text", ["one two", "One two", "ONE TWO", "\none two", "one\ntwo", "one two \n", "one"]
)
def test_a_prompt_that_was_tried_cannot_be_written_again(text: str) -> None:
    assert not allows(["one two", "other"], text)


@pytest.mark.parametrize(
    "text", ["one two!", "one twos", "one two three", "one tw.", "two", "\nothers", "on two"]
)
def test_a_prompt_that_differs_from_all_that_were_tried_can(text: str) -> None:
    assert allows(["one two", "other"], text)


words = st.text("abcAB .é", min_size=1, max_size=8).filter(str.strip)


@given(st.lists(words.map(fold), max_size=4), words.map(str.strip))
def test_what_is_refused_is_what_the_proposer_refuses_and_its_beginnings(
    refused: list[str], text: str
) -> None:
    folded = fold(text)
    if allows(refused, text):
        assert folded not in refused or "  " in text or any(one.startswith(folded + " ") for one in refused)
    else:
        assert any(one.startswith(folded) for one in refused)


def test_every_text_has_an_end() -> None:
    pattern = as_pattern(tagged_grammar({"why": 30, "prompt": 20}, refused=["one two"]))
    longest = f"<why>{'w' * 30}</why>\n<prompt>{'p' * 20}</prompt>"
    assert pattern.fullmatch(longest)
    assert not pattern.fullmatch(longest.replace("ww", "www", 1))
    assert not pattern.fullmatch(longest.replace("pp", "ppp", 1))


def test_texts_are_visible_and_open_no_tag() -> None:
    assert not any(allows([], text) for text in ("", " ", "\n", "a<b", "<prompt>a"))


def test_the_runtime_takes_the_grammar_and_keeps_to_it(tiny_model: Path, tmp_path: Path) -> None:
    async def main() -> str:
        server = LocalServer(tiny_model, tmp_path / "log", slots=1)
        await server.start()
        try:
            headers = {"Authorization": f"Bearer {server.api_key.reveal()}"}
            body = {
                "messages": [{"role": "user", "content": "hello"}],
                "grammar": tagged_grammar({"analyse": 30, "prompt": 30}, refused=["one two", 'a "b" \\ é']),
                "max_tokens": 400,  # more than the longest text that the grammar allows
            }
            async with httpx.AsyncClient(base_url=server.address, headers=headers) as client:
                reply = await client.post("/v1/chat/completions", json=body, timeout=120)
            reply.raise_for_status()
            text: str = reply.json()["choices"][0]["message"]["content"]
            return text
        finally:
            await server.stop()

    text = asyncio.run(main())
    assert re.fullmatch(r"<analyse>[^<]+</analyse>\n<prompt>[^<]+</prompt>", text)


@pytest.mark.parametrize("tags", [[], [""], ["a b"], ["1a"], ["a", "<b>"]])
def test_a_name_that_is_no_tag_is_refused(tags: list[str]) -> None:
    with pytest.raises(ValueError, match="no names of tags"):
        tagged_grammar(dict.fromkeys(tags, 10))


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_a_literal_is_read_back_as_it_was_written(text: str) -> None:
    grammar = literal_grammar(text)
    assert literal_text(grammar) == text
    assert len(grammar.splitlines()) == 1


@pytest.mark.parametrize(
    "grammar", ["", 'root ::= "a" | "b"', "root ::= [a-z]+", 'root ::= "a', 'item ::= "a"', '"a"']
)
def test_another_grammar_is_no_literal(grammar: str) -> None:
    assert literal_text(grammar) is None


def test_a_lone_surrogate_becomes_the_replacement_character() -> None:
    assert literal_text(literal_grammar("a\ud800b")) == "a\ufffdb"
