"""What is a slot in a prompt and what is text."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spotui.domain.rows import SPLITS, draw, fill, lookalikes, slot_fault, slot_names

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
        (r"Put it in \boxed{answer}, as \frac{a}{b} or x^{n}.", set()),
        (r"\text{given} {question}", {"question"}),
        (r"A line\n{question}", {"question"}),
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


@pytest.mark.parametrize(
    ("prompt", "found"),
    [
        ("Answer {{question}}.", ["{{question}}"]),
        ("Answer {{ anything | trim }}.", ["{{ anything | trim }}"]),
        ("{{{question}}}", ["{{question}}"]),
        ("{% if x %}Yes{% endif %}", ["{% if x %}", "{% endif %}"]),
        ("$question and ${context}, $5 and $PATH", ["$question", "${context}"]),
        ("%(topic)s", ["%(topic)s"]),
        ("<question> and <b>", ["<question>"]),
        ("<question>Why?</question>", []),
        ("[INPUT], [[text]] and [1]", ["[INPUT]", "[[text]]"]),
        ("{ question } {question.text} {question!r}", ["{ question }", "{question.text}", "{question!r}"]),
        ('{"question": "x"} {a b} function() { return }', []),
        ("$passage and [code]", ["$passage", "[code]"]),
        ("As ${question} shows: {question}", []),
        (r"$x$, \boxed{answer}, {question}", []),
    ],
)
def test_what_other_tools_call_a_slot_is_found(prompt: str, found: list[str]) -> None:
    assert [one.text for one in lookalikes(prompt, ["code"])] == found
    assert all(prompt[one.start :].startswith(one.text) for one in lookalikes(prompt, ["code"]))


@given(st.text("{}$%<>[](| questionab/", max_size=40))
def test_whatever_a_prompt_holds_its_lookalikes_are_no_slots(prompt: str) -> None:
    assert not slot_names(prompt) & {one.name for one in lookalikes(prompt)}


@pytest.mark.parametrize(
    ("prompt", "fault"),
    [
        ("{b} and {a}, {a}", ""),
        ("{a} {text}", "Its prompt has lost {b}, which must stay as it is written."),
        ("{{a}} ${b}", "Its prompt has lost {a}, {b}, which must stay as it is written."),
        ("{a} {b} {c}", "Its prompt has {c}, which nothing fills."),
        ('{a} {b} {"c": 1}', ""),
    ],
)
def test_a_new_prompt_has_the_slots_of_the_first_one(prompt: str, fault: str) -> None:
    assert slot_fault("{a} and {b}, with the word {text}", {"a", "b"}, prompt) == fault


@pytest.mark.parametrize(
    ("count", "sizes"), [(4, (2, 1, 1)), (6, (2, 2, 2)), (9, (3, 3, 3)), (12, (3, 2, 7))]
)
def test_a_small_file_still_gives_every_split_a_few_rows(count: int, sizes: tuple[int, ...]) -> None:
    drawn = draw(count, SPLITS, {}, limit=None, seed=0)
    assert tuple(len(drawn[name]) for name in SPLITS) == sizes
    assert sorted(position for rows in drawn.values() for position in rows) == [*range(count)]
