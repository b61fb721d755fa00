"""spotui estimate TEMPLATE."""

import argparse

from spotui.cli import exit_codes, options
from spotui.view.figures import count, usd


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What `estimate` takes."""
    parser.add_argument("template", metavar="TEMPLATE", help="a YAML file, or the name of a bundled example")
    parser.add_argument("--json", action="store_true", help="one JSON object")
    options.add_settings(parser)


def main(parsed: argparse.Namespace) -> int:
    """Print what a run is expected to take; no model is asked."""
    import msgspec

    from spotui.cli.fetching import missing_models, size_of
    from spotui.estimate import estimate_run
    from spotui.launch import Launcher
    from spotui.resources import find_template
    from spotui.template import read_template

    launcher = Launcher()
    template = read_template(find_template(parsed.template))
    settings = launcher.settings(options.flags(parsed), template).settings
    estimate = estimate_run(template, settings, launcher.connector(settings))
    missing = [
        f"{one.model_id} is not on this machine; a run fetches it first ({size_of(one)})."
        for one in missing_models(settings)
    ]
    estimate = msgspec.structs.replace(estimate, warnings=(*missing, *estimate.warnings))
    if parsed.json:
        print(msgspec.json.encode(estimate).decode())
        return exit_codes.OK
    for one in estimate.shares:
        print(
            f"{one.role:10} {one.calls:>5} calls  {count(one.prompt_tokens):>6} tokens in  "
            f"{count(one.completion_tokens):>6} out  {usd(one.usd):>10}  {one.model}"
        )
    print(f"Expected: {estimate.line}")
    print("Reply lengths and speeds are typical ones, not measured on your models.")
    for text in estimate.warnings:
        print(f"Warning: {text}")
    return exit_codes.OK
