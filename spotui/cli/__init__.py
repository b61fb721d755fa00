"""The command line: every verb of spotui without the screen."""

import argparse
import sys
from collections.abc import Sequence
from importlib import import_module

from spotui.cli import exit_codes
from spotui.errors import SpotuiError
from spotui.version import VERSION

VERBS = {
    "run": "optimize a template's prompt",
    "resume": "go on with a run",
    "attach": "watch and steer a run that another process works on",
    "list": "all projects: state, rounds, best, spent",
    "show": "a project's rounds, or one round in full",
    "diff": "what changed between two prompts",
    "best": "print the best prompt and nothing else",
    "test": "try a prompt on a new question",
    "export": "write the best prompt, or the whole run, as txt, json or markdown",
    "models": "list, add, test, remove, import and fetch models",
    "check": "find every mistake in a template",
    "estimate": "what a run would take: calls, tokens, USD, minutes",
    "branch": "start a new run from a round of another",
    "replay": "watch a run again, without a model",
    "locate": "where spotui keeps things",
    "doctor": "find out why something does not work",
}


def main(arguments: Sequence[str]) -> int:
    """Run one command.

    Args:
        arguments: What was typed after `spotui`.

    Returns:
        The exit code.
    """
    verb = next((word for word in arguments if not word.startswith("-")), None)
    parser = _parser(verb)
    parsed = parser.parse_args(arguments)
    if parsed.verb is None:
        parser.print_help()
        return exit_codes.OK
    try:
        code: int = import_module(f"spotui.cli.{parsed.verb}").main(parsed)
        sys.stdout.flush()
    except SpotuiError as error:
        report(error)
        return exit_codes.FAILED
    except BrokenPipeError:
        # Whoever read our output has gone, as `| head` does; Python would complain while it exits.
        sys.stdout = None
        return exit_codes.OK
    except KeyboardInterrupt:
        return exit_codes.INTERRUPTED
    return code


def report(error: SpotuiError) -> None:
    """Say on standard error what happened and what to do."""
    print(f"spotui: {error.what}", file=sys.stderr)
    if error.mend:
        print(f"        {error.mend}", file=sys.stderr)


def _parser(verb: str | None) -> argparse.ArgumentParser:
    """The parser; only the verb that was typed adds its arguments, so that no other one is imported."""
    parser = argparse.ArgumentParser(
        prog="spotui",
        description="The prompt optimizer that lives in the terminal.",
        epilog="'spotui VERB --help' tells more. Exit codes: 0 done or improved, 1 could not, 2 wrong usage, "
        "3 no improvement, 4 budget spent, 5 a call failed for good, 6 stopped, 130 interrupted.",
    )
    parser.add_argument("--version", action="version", version=f"spotui {VERSION}")
    verbs = parser.add_subparsers(dest="verb", metavar="VERB")
    for name, does in VERBS.items():
        one = verbs.add_parser(name, help=does, description=does[0].upper() + does[1:] + ".")
        if name == verb:
            import_module(f"spotui.cli.{name}").add_arguments(one)
    return parser
