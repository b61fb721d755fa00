"""spotui check FILE."""

import argparse
from typing import TYPE_CHECKING

from spotui.cli import exit_codes
from spotui.view.figures import plural

if TYPE_CHECKING:
    from pathlib import Path

    from spotui.template import Template


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
    method = template.method or DEFAULT_METHOD
    check_method(method)
    if template.parameters is not None:
        from spotui.methods import load_method
        from spotui.methods.parameters import read_parameters
        from spotui.template.scoring import parameters_of

        read_parameters(method, load_method(method), parameters_of(template))
    MetaPrompts(folder_beside(path), locations.meta_prompts_dir())
    if template.data is None and template.metric is None:
        print(f"{path}: {plural(len(template.qa), 'question')}, no error.")
        return exit_codes.OK
    return _check_rows(path, template)


def _check_rows(path: "Path", template: "Template") -> int:
    """Read every row that the template's data file holds."""
    from spotui.dataset import DataError
    from spotui.run.rows import read_rows

    try:
        dataset = read_rows(template, path.parent)
    except DataError as error:
        for fault in error.faults:
            print(f"{fault.file}:{fault.line}: error: {fault.what}")
            if fault.mend:
                print(f"    {fault.mend}")
        print(f"{plural(len(error.faults), 'error')}.")
        return exit_codes.FAILED
    for notice in dataset.notices:
        print(f"{path}: warning: {notice}")
    sizes = f"{len(dataset.train)} to write prompts from, {len(dataset.eval)} to choose by, "
    rows = len(dataset.train) + len(dataset.eval) + len(dataset.test)
    print(f"{path}: {plural(rows, 'row')} ({sizes}{len(dataset.test)} to test on), no error.")
    return exit_codes.OK
