"""Several prompts as one text, and one of them at a time."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spotui.domain.program_prompts import Part, is_prompt_name, join_prompts, prompts_fault, split_prompts

NAMES = st.from_regex(r"[A-Za-z_][\w-]{0,6}", fullmatch=True).filter(is_prompt_name)
LINES = st.sampled_from(
    ["=== planner ===", "\\=== x ===", "\\\\=== x ===", "===", "=== two words ===", "", "a"]
)
TEXTS = st.lists(LINES | st.text("ab= \\\n", max_size=8), max_size=5).map("\n".join)


@given(st.dictionaries(NAMES, TEXTS, min_size=1, max_size=4))
def test_prompts_come_back_as_they_were(prompts: dict[str, str]) -> None:
    text = join_prompts(prompts)
    assert split_prompts(text) == prompts
    assert list(split_prompts(text)) == list(prompts)
    assert prompts_fault(text, tuple(prompts)) == ""


@given(st.dictionaries(NAMES, TEXTS, min_size=2, max_size=4), TEXTS)
def test_one_prompt_is_changed_and_the_others_stay(prompts: dict[str, str], new: str) -> None:
    name, *others = prompts
    part, text = Part(name), join_prompts(prompts)
    assert part.of(text) == prompts[name]
    changed = split_prompts(part.put(text, new))
    assert changed == {**prompts, name: new}
    (beside,) = part.beside(text)
    assert all(f"=== {other} ===" in beside for other in others)


def test_a_prompt_alone_is_all_there_is() -> None:
    assert Part().of("a prompt") == "a prompt"
    assert Part().put("a prompt", "another") == "another"
    assert Part().beside("a prompt") == []


@pytest.mark.parametrize(
    "text",
    ["a prompt", "first\n=== a ===\nx\n\n=== b ===\ny", "=== a ===\nx", "=== a ===\nx\n\n=== c ===\ny"],
)
def test_a_text_that_is_not_these_prompts_is_refused(text: str) -> None:
    assert prompts_fault(text, ("a", "b")).endswith("and no other such line: === a ===, === b ===.")
