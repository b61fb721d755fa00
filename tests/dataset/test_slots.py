"""What is a slot in a prompt and what is text."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spotui.dataset import fill, slot_names

NAMES = st.from_regex(r"[a-z_][a-z0-9_]{0,6}", fullmatch=True)


@pytest.mark.parametrize(
    ("prompt", "names"),
    [
        ("Answer {question} from {context}.", {"question", "context"}),
        ("{question}{question}", {"question"}),
        ("Chinese: {问题}", {"问题"}),
        ('Reply as {"q": {question}}', {"question"}),
        ("{{question}}", set()),
        ("{{{question}}}", set()),
        ("${question}", set()),
        ("{ question }", set()),
        ("{}", set()),
        ("{1}", set()),
        ("{a b}", set()),
        ("{a-b} {a.b} {a!r} {a:>3}", set()),
        ('{"name": "x", "n": {"m": 1}}', set()),
        ("{question", set()),
        ("function() {return}", {"return"}),
    ],
)
def test_a_slot_is_a_name_in_single_braces(prompt: str, names: set[str]) -> None:
    assert slot_names(prompt) == names


def test_braces_of_json_and_doubled_ones_stay_as_they_are() -> None:
    prompt = 'Reply {"q": {question}, "also": {{question}}, "shell": ${question}}'
    assert fill(prompt, {"question": "Why?"}) == (
        'Reply {"q": Why?, "also": {{question}}, "shell": ${question}}'
    )


@given(st.dictionaries(NAMES, st.text()), st.lists(st.tuples(NAMES, st.text("abc {}\n"))))
def test_what_looks_like_a_slot_in_a_value_is_text(
    values: dict[str, str], parts: list[tuple[str, str]]
) -> None:
    separators = [text.replace("{", "").replace("}", "") for _, text in parts]
    prompt = "".join(f"{{{name}}}{text} " for (name, _), text in zip(parts, separators, strict=True))
    expected = "".join(
        f"{values.get(name, f'{{{name}}}')}{text} " for (name, _), text in zip(parts, separators, strict=True)
    )
    assert fill(prompt, values) == expected


@given(st.text())
def test_a_prompt_without_values_is_unchanged(prompt: str) -> None:
    assert fill(prompt, {}) == prompt
