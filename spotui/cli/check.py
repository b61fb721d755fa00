"""spotui check FILE."""

import argparse

from spotui.cli import exit_codes
from spotui.view.figures import plural


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What `check` takes."""
    parser.add_argument("template", metavar="FILE", help="a template, or the name of a bundled example")


def main(parsed: argparse.Namespace) -> int:
    """Print every mistake with key, line and mend; also check meta-prompts, the template's and the user's."""
    from spotui import locations
    from spotui.meta_prompts import MetaPrompts, folder_beside
    from spotui.methods import DEFAULT_METHOD, check_method
    from spotui.resources import find_template
    from spotui.settings import template_roles
    from spotui.template import check_template, read_template

    path = find_template(parsed.template)
    problems = check_template(path)
    for problem in problems:
        print(f"{path}:{problem.line}: {problem.severity}: {problem.key}: {problem.what}")
        if problem.mend:
            print(f"    {problem.mend}")
    errors = sum(problem.severity == "error" for problem in problems)
    if errors:
        print(f"{plural(errors, 'error')}.")
        return exit_codes.FAILED
    template = read_template(path)
    template_roles(template.models, str(path))
    check_method(template.method or DEFAULT_METHOD)
    MetaPrompts(folder_beside(path), locations.meta_prompts_dir())
    print(f"{path}: {plural(len(template.qa), 'question')}, no error.")
    return exit_codes.OK
