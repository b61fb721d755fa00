"""Explains the complaints of the YAML parser, so that a person who knows no YAML can fix the file."""

from typing import Final

import yaml

from spotui.marked_yaml.faults import IN_QUOTES, TOO_DEEP, Fault
from spotui.marked_yaml.misreadings import explained

_SAME_COLUMN: Final = "Begin the keys (or dashes) of one level in the same column, and use spaces only."


def explain(error: yaml.MarkedYAMLError, text: str) -> Fault:
    """Turn the parser's complaint into a sentence about the line that a person has to change.

    Args:
        error: What PyYAML raised; its C and its Python parser word things differently.
        text: What was parsed.
    """
    problem, context = str(error.problem or ""), str(error.context or "")
    mark = error.problem_mark or error.context_mark
    here = mark.index if mark else 0
    last = text.rstrip().count("\n") + 1  # a complaint about the end of the text is about its last words
    line = min(mark.line + 1, last) if mark else 1
    opened = min(error.context_mark.line + 1, last) if error.context_mark else line
    char = text[here : here + 1]
    lines = text.split("\n")
    above = next((number for number in range(line - 1, 0, -1) if lines[number - 1].strip()), 0)
    if "nesting" not in problem and (found := explained(lines, line, opened, above)):
        return found
    before = text[text.rfind("\n", 0, here) + 1 : here]

    if "nesting" in problem:  # libyaml refuses a thousand levels while it looks ahead, since PyYAML 6.0.4
        return Fault(opened, TOO_DEEP, IN_QUOTES)
    if char == "\t" or "tab character" in problem:
        return Fault(line, "There is a tab where YAML wants spaces.", "Replace the tab with spaces.")
    if "quoted scalar" in context and "unexpected" in problem:
        mend = "Close it, or put the text on the lines below a `|`, indented."
        return Fault(opened, "The quote that opens on this line is never closed.", mend)
    if "escape" in problem or "quoted scalar" in context:
        mend = "Double the backslash, or put the text in single quotes."
        return Fault(
            line, "A backslash inside double quotes stands before something YAML does not know.", mend
        )
    if "mapping values are not allowed" in problem:
        return _stray_colon(line, before)
    if "could not find expected ':'" in problem:
        mend = "If it belongs to the text above, indent it like that text; if it is a key, write `key: text`."
        return Fault(opened, "This line is neither a `key: text` nor part of the text above it.", mend)
    if "cannot start any token" in problem:
        return Fault(line, f"A text cannot begin with {char}.", IN_QUOTES)
    if "alias" in context or "anchor" in context:
        return Fault(opened, "A text cannot begin with * or &.", IN_QUOTES)
    if "sequence entries" in problem:
        mend = "Put the first dash on the next line, or the text in quotes."
        return Fault(line, "A list cannot begin on the line of its key.", mend)
    if "block scalar" in context:
        mend = "Begin the text on the next line, indented by two spaces, or put it in quotes."
        return Fault(line, "Nothing may follow a | or > on its line.", mend)
    if "flow" in context:
        return Fault(opened, "A [ or { opens a list here that does not end as a list does.", IN_QUOTES)
    return _out_of_place(line, before, problem)


def _stray_colon(line: int, before: str) -> Fault:
    if ": " in before:
        return Fault(line, "There is a second colon in this line, so its text is unclear.", IN_QUOTES)
    mend = f"Write `key: text` with a space after the colon. {_SAME_COLUMN}"
    return Fault(line, "This line does not fit the line above it.", mend)


def _out_of_place(line: int, before: str, problem: str) -> Fault:
    closing = before.rstrip()[-1:]
    if closing in ("'", '"', "]", "}"):
        return Fault(line, f"The text goes on after its closing {closing}.", IN_QUOTES)
    if "expected key" in problem or "'-' indicator" in problem or "block end" in problem:
        return Fault(line, "This line is indented unlike the lines it belongs to.", _SAME_COLUMN)
    mend = "Compare its quotes, colons and indentation with the lines around it."
    return Fault(line, f"YAML cannot be read here: {problem}.", mend)
