"""spotui check FILE."""

import argparse
from typing import TYPE_CHECKING

from spotui.cli import exit_codes
from spotui.view.figures import plural

if TYPE_CHECKING:
    from pathlib import Path

    from spotui.checking import Checked
    from spotui.template import Template


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What `check` takes."""
    parser.add_argument("template", metavar="FILE", help="a template, or the name of a bundled example")
    parser.add_argument(
        "--json", action="store_true", help="one JSON object: the mistakes, and the tokens of every text"
    )


def main(parsed: argparse.Namespace) -> int:
    """Print every mistake with key, line and mend; also check meta-prompts, the template's and the user's."""
    from spotui import locations
    from spotui.checking import Checked, check
    from spotui.meta_prompts import MetaPrompts, folder_beside
    from spotui.resources import find_template
    from spotui.template import TemplateError
    from spotui.template.read import read_text

    path = find_template(parsed.template)
    try:
        checked = check(read_text(path))
    except TemplateError as error:
        checked = Checked("", error.problems)
    if parsed.json:
        _print_json(path, checked)
    else:
        _print(path, checked)
    if checked.errors:
        return exit_codes.FAILED
    MetaPrompts(folder_beside(path), locations.meta_prompts_dir())
    return exit_codes.OK


def _print(path: "Path", checked: "Checked") -> None:
    for problem in checked.problems:
        print(f"{path}:{problem.line}: {problem.severity}: {problem.key}: {problem.what}")
        if problem.mend:
            print(f"    {problem.mend}")
    if checked.errors:
        print(f"{plural(checked.errors, 'error')}.")
    elif checked.template is not None:
        print(f"{path}: {plural(len(checked.template.qa), 'question')}, no error.")


def _print_json(path: "Path", checked: "Checked") -> None:
    import msgspec

    told = {
        "file": str(path),
        "problems": checked.problems,
        "tokens": _tokens(checked.template) if checked.template else None,
    }
    print(msgspec.json.encode(told).decode())


def _tokens(template: "Template") -> dict[str, object]:
    """The tokens of every text, by the tokenizer of the model that is to read it."""
    from spotui.errors import SpotuiError
    from spotui.launch import Launcher
    from spotui.llm.tokens import DEFAULT_ENCODING, count_tokens, encoding_for
    from spotui.settings import Flags

    try:
        settings = Launcher().settings(Flags(), template).settings
        encoding = encoding_for(settings.roles.executor.model)
    except SpotuiError:  # a wrong setting is not the template's mistake, and its texts can be counted
        encoding = DEFAULT_ENCODING

    def tokens(text: str) -> int:
        return count_tokens(text, encoding).tokens

    return {
        "encoding": encoding,
        "prompt": tokens(template.prompt),
        "requirements": tokens(template.requirements),
        "qa": [{"question": tokens(one.question), "answer": tokens(one.answer)} for one in template.qa],
    }
