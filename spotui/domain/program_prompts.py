"""Several prompts of one program as one text, so that everything that handles a prompt handles them all.

Above each is a line with its name, `=== planner ===`. A line of a prompt that looks like that has a
backslash in front.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Final

import msgspec

from spotui.lang import _

_HEADING: Final = re.compile(r"^=== (?P<name>[A-Za-z_][\w-]*) ===$", re.MULTILINE)
_LIKE_ONE: Final = re.compile(r"^(\\*=== [A-Za-z_][\w-]* ===)$", re.MULTILINE)
_MARKED: Final = re.compile(r"^\\(\\*=== [A-Za-z_][\w-]* ===)$", re.MULTILINE)


def is_prompt_name(name: str) -> bool:
    """Whether a prompt of a program may be called that."""
    return _HEADING.fullmatch(f"=== {name} ===") is not None


def join_prompts(prompts: Mapping[str, str]) -> str:
    """The prompts as one text, in their order."""
    marked = {name: _LIKE_ONE.sub(r"\\\1", text) for name, text in prompts.items()}
    return "\n\n".join(f"=== {name} ===\n{text}" for name, text in marked.items())


def split_prompts(text: str) -> dict[str, str]:
    """The prompts of a text, by name; empty where it has none, or text in front of the first."""
    found = list(_HEADING.finditer(text))
    if not found or text[: found[0].start()].strip():
        return {}
    ends = [*(one.start() for one in found[1:]), len(text)]
    prompts: dict[str, str] = {}
    for number, (one, end) in enumerate(zip(found, ends, strict=True), 1):
        body = text[one.end() : end].removeprefix("\n")
        if number < len(found):
            body = body.removesuffix("\n").removesuffix("\n")
        prompts[one["name"]] = _MARKED.sub(r"\1", body)
    return prompts


def prompts_fault(text: str, names: Sequence[str]) -> str:
    """What keeps a text from being the prompts of these names, one sentence; empty when nothing does."""
    found = split_prompts(text)
    if len(found) == len(names) and set(found) == set(names):
        return ""
    lines = ", ".join(f"=== {name} ===" for name in names)
    return _("It must have a line above each prompt, and no other such line: {lines}.", lines=lines)


OTHERS_STAY: Final = "It is the prompt `{name}` of a program. Write this one only; the others stay:"
"""What the optimizer reads above the other prompts of a program."""


class Part(msgspec.Struct, frozen=True):
    """The prompt that a round changes.

    Attributes:
        name: Its name; empty where there is one prompt alone.
    """

    name: str = ""

    def of(self, prompt: str) -> str:
        """The prompt to change, out of all of them."""
        return split_prompts(prompt).get(self.name, prompt) if self.name else prompt

    def put(self, prompt: str, new: str) -> str:
        """All prompts, with a new one in its place."""
        return join_prompts({**split_prompts(prompt), self.name: new}) if self.name else new

    def beside(self, prompt: str, lead: str = "") -> list[str]:
        """What the optimizer has to know of the other prompts; nothing where there are none.

        Args:
            prompt: All of them.
            lead: The sentence above the others; empty for `OTHERS_STAY`.
        """
        if not self.name:
            return []
        others = {name: text for name, text in split_prompts(prompt).items() if name != self.name}
        lead = lead or OTHERS_STAY.format(name=self.name)
        return [f"{lead}\n\n<other_prompts>\n{join_prompts(others)}\n</other_prompts>\n"]
