"""Options that several verbs share."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from spotui.settings import locations
from spotui.workspace.projects import Workspace

if TYPE_CHECKING:
    from spotui.runs.launch import Launcher
    from spotui.runs.prepare import Prepared, Purpose
    from spotui.settings.resolve import Flags


_ROLES = {"opt": "optimizer", "eval": "evaluator", "exec": "executor"}


def add_workspace(parser: argparse.ArgumentParser) -> None:
    """The option that chooses another workspace."""
    parser.add_argument(
        "--workspace", metavar="DIR", help="where projects are kept (see 'spotui locate' for the default)"
    )


def workspace(parsed: argparse.Namespace) -> Workspace:
    """The workspace that was chosen."""
    chosen = parsed.workspace
    return Workspace(Path(chosen).expanduser() if chosen else locations.workspace_dir())


def add_project(parser: argparse.ArgumentParser) -> None:
    """The name of a project, and its workspace."""
    parser.add_argument("name", metavar="NAME", help="the project ('spotui list' shows them)")
    add_workspace(parser)


def add_settings(parser: argparse.ArgumentParser) -> None:
    """Every setting of a run. The reference's flags have its names."""
    roles = parser.add_argument_group(
        "models (default: the embedded model; 'reference': the reference's own)"
    )
    roles.add_argument("--model", metavar="ID", help="one model for all three roles")
    roles.add_argument("--base-url", metavar="URL", help="one OpenAI-compatible endpoint for all three roles")
    roles.add_argument(
        "--timeout", metavar="S", help="seconds without a token before a call has timed out (120)"
    )
    roles.add_argument(
        "--first-token-timeout",
        metavar="S",
        help="seconds to the first token of a reply (default: --timeout)",
    )
    roles.add_argument(
        "--call-timeout", metavar="S", help="seconds a whole reply may take, or 'none' (default 1800)"
    )
    for short, role in _ROLES.items():
        temperature = {"opt": "0.7", "eval": "0.3", "exec": "0"}[short]
        roles.add_argument(f"--{short}-model", metavar="ID", help=f"the {role}'s model")
        roles.add_argument(f"--{short}-temp", metavar="T", help=f"its temperature (default {temperature})")
        roles.add_argument(f"--{short}-max-tokens", metavar="N", help="its longest reply")
        roles.add_argument(f"--{short}-timeout", metavar="S", help="its own time limit")
    run = parser.add_argument_group("run")
    run.add_argument("--max-rounds", metavar="N", help="rounds in all, the seed included (default 10)")
    add_stopping(run)
    run.add_argument("--sample", metavar="N", help="questions a round asks; the rest is held out (default 3)")
    run.add_argument("--seed", metavar="N", help="draws the questions and every order (default 0)")
    run.add_argument(
        "--judge",
        metavar="RULE",
        help="auto, balanced (three of four votes, in both orders), thorough (a lead of five), "
        "reference (four coin flips), likelihood, logprob (the probability of A against B in both orders)",
    )
    run.add_argument(
        "--judge-unit",
        metavar="UNIT",
        help="compare all answers in one call: set; or each alone: row (default set)",
    )
    run.add_argument(
        "--judges", metavar="IDS", help="more models that judge beside the evaluator; votes are pooled"
    )
    run.add_argument(
        "--embedding-model",
        metavar="ID",
        help="what tells how alike two prompts are, for relevance=embedding",
    )
    run.add_argument(
        "--judge-json",
        action="store_const",
        const=True,
        help="ask for votes as JSON, where the endpoint can promise that",
    )
    run.add_argument(
        "--no-reference-answers",
        dest="reference_answers",
        action="store_const",
        const=False,
        help="keep the template's answers from optimizer and evaluator, as in the paper",
    )
    run.add_argument(
        "--final-check",
        action=argparse.BooleanOptionalAction,
        default=None,
        help="compare best and seed on all questions at the end (default: yes, with judge reference no)",
    )
    add_budget(parser)
    limits = parser.add_argument_group("limits")
    limits.add_argument("--concurrency", metavar="N", help="calls in flight at each endpoint (default 8)")
    limits.add_argument(
        "--tries", metavar="N", help="tries of one call; 'none' for no such bound (default 5)"
    )
    limits.add_argument(
        "--retry-seconds", metavar="S", help="no try begins later than this; both 'none': no retry (120)"
    )


def add_yes(parser: argparse.ArgumentParser) -> None:
    """What a verb needs not ask before it begins."""
    parser.add_argument(
        "--yes", "-y", action="store_true", help="fetch a missing embedded model without asking"
    )


def add_method(parser: argparse.ArgumentParser) -> None:
    """Which method, and what it is told."""
    method = parser.add_argument_group("method ('spotui methods' shows them with their parameters)")
    method.add_argument("--method", metavar="NAME", help="in place of the template's (default: spo)")
    method.add_argument(
        "--set",
        dest="set",
        metavar="NAME=VALUE",
        action="append",
        default=[],
        help="a parameter of the method; give it again for another",
    )


def parameters(parsed: argparse.Namespace) -> "dict[str, Any]":
    """The parameters that were typed.

    Raises:
        ParameterError: One of them has no value.
    """
    if not parsed.set:
        return {}
    from spotui.methods.parameters import parse_assignment

    return dict(parse_assignment(text) for text in parsed.set)


def add_stopping(parser: "argparse._ActionsContainer") -> None:
    """What ends a run before its last round."""
    parser.add_argument("--patience", metavar="N", help="end after so many rounds in a row without a win")
    parser.add_argument("--target-wins", metavar="N", help="end after so many wins")


def add_budget(
    parser: argparse.ArgumentParser, title: str = "budget, over all roles and sessions (default: none)"
) -> None:
    """What a run may cost, or what else the title says."""
    budget = parser.add_argument_group(title)
    for kind in ("usd", "tokens", "calls", "minutes"):
        budget.add_argument(f"--budget-{kind}", metavar="N", help=f"stop before {kind} exceed this")


def typed(parsed: argparse.Namespace) -> dict[str, str | None]:
    """Every flag that is a setting of a run; None for one that was not typed."""
    from spotui.settings.resolve import Flags

    return {name: getattr(parsed, name, None) for name in Flags.__struct_fields__}


def flags(parsed: argparse.Namespace) -> "Flags":
    """The settings that were typed."""
    from spotui.settings.resolve import Flags

    return Flags(**typed(parsed))


def prepare(
    launcher: "Launcher", path: Path, parsed: argparse.Namespace, purpose: "Purpose" = "run"
) -> "Prepared":
    """Settle what the typed words ask for on a template; see `Launcher.prepare`."""
    return launcher.prepare(
        path, flags(parsed), method=parsed.method, parameters=parameters(parsed), purpose=purpose
    )
