"""spotui estimate TEMPLATE."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from spotui.cli import exit_codes, options
from spotui.domain.errors import SpotuiError
from spotui.domain.figures import count, usd

if TYPE_CHECKING:
    from spotui.llm.connections import Connector
    from spotui.runs.estimate import Estimate
    from spotui.runs.prepare import Launcher
    from spotui.settings.run_settings import RunSettings
    from spotui.templates.model import Template


def add_estimate_arguments(parser: argparse.ArgumentParser) -> None:
    """What `estimate` takes."""
    parser.add_argument("template", metavar="TEMPLATE", help="a YAML file, or the name of a bundled example")
    parser.add_argument("--json", action="store_true", help="one JSON object")
    options.add_method(parser)
    options.add_settings(parser)
    options.add_workspace(parser)


def estimate_command(parsed: argparse.Namespace) -> int:
    """Print what a run is expected to take; no model is asked."""
    import msgspec

    from spotui.cli.fetching import missing_models, size_of
    from spotui.runs.prepare import Launcher
    from spotui.runs.setup import choose
    from spotui.settings.resources import find_template
    from spotui.templates.read import read_template

    launcher = Launcher()
    path = find_template(parsed.template)
    template = read_template(path)
    resolution = launcher.settings(options.flags(parsed), template)
    chosen = not resolution.sources["run.max_rounds"].is_default
    settings = choose(
        template, resolution.settings, parsed.method, options.parameters(parsed), rounds_chosen=chosen
    ).settings
    connector = launcher.connector(settings)
    estimate = expected(parsed, template, path.parent, settings, connector, rounds_chosen=chosen)
    if estimate is None and parsed.json:
        print("null")
        return exit_codes.OK
    if estimate is None:
        print(f"The method {parsed.method or template.method} does not say what it takes.")
        return exit_codes.OK
    missing = [
        f"{one.model_id} is not on this machine; a run fetches it first ({size_of(one)})."
        for one in missing_models(settings)
    ]
    estimate = msgspec.structs.replace(estimate, warnings=(*missing, *estimate.warnings))
    if parsed.json:
        whole = {
            **msgspec.structs.asdict(estimate),
            "judge": _judge(launcher, template, path, settings, parsed.method),
            "uses": _used(settings, connector),
        }
        print(msgspec.json.encode(whole).decode())
        return exit_codes.OK
    for one in estimate.shares:
        print(
            f"{one.role:10} {one.calls:>5} calls  {count(one.prompt_tokens, estimated=True):>7} tokens in  "
            f"{count(one.completion_tokens, estimated=True):>7} out  "
            f"{usd(one.usd, estimated=True):>10}  {one.model}"
        )
    print(f"Expected: {estimate.line}")
    if estimate.measured:
        print("Speeds are those of your last runs; the lengths of replies are typical ones.")
    else:
        print("Reply lengths and speeds are typical ones, not measured on your models.")
    for text in estimate.warnings:
        print(f"Warning: {text}")
    return exit_codes.OK


def _used(settings: "RunSettings", connector: "Connector") -> dict[str, object]:
    """The values that the run would use, whoever set them."""
    import msgspec

    from spotui.settings.table import ROLES

    models = {role: settings.roles.of(role).model for role in ROLES}
    ways = {model: connector.way_to(model) for model in dict.fromkeys(models.values())}
    return {
        "models": models,
        "endpoints": {
            model: way.endpoint.base_url or ("" if way.kind == "litellm" else "this machine")
            for model, way in ways.items()
        },
        "rounds": settings.max_rounds,
        **msgspec.structs.asdict(settings.budget),
    }


def _judge(
    launcher: "Launcher", template: "Template", path: Path, settings: "RunSettings", method: str | None
) -> dict[str, object] | None:
    """What `judge-check --estimate --json` says of the run's judge; None when it cannot be checked."""
    from spotui.cli.judge_check import judge_offer

    try:
        return judge_offer(launcher, template, path, settings, method).as_json()
    except SpotuiError:
        return None


def expected(
    parsed: argparse.Namespace,
    template: "Template",
    folder: Path,
    settings: "RunSettings",
    connector: "Connector",
    *,
    rounds_chosen: bool,
) -> "Estimate | None":
    """What a run of this template is expected to take; None when its method does not say.

    Raises:
        SpotuiError: Method, parameters or rows are wrong.
    """
    import msgspec

    from spotui.methods import DEFAULT_METHOD
    from spotui.runs.estimate import measured_paces

    connector.paces = measured_paces(options.workspace(parsed), settings.models)
    is_measured = set(settings.models) <= connector.paces.keys()
    method = parsed.method or template.method or DEFAULT_METHOD
    found: Estimate | None
    if method == DEFAULT_METHOD and template.data is None:
        from spotui.runs.estimate import estimate_run

        found = estimate_run(template, settings, connector)
        return msgspec.structs.replace(found, measured=is_measured)
    from spotui.runs.estimate_rows import estimate_with_rows

    found = estimate_with_rows(
        template,
        folder,
        method,
        options.parameters(parsed),
        settings,
        connector,
        rounds_chosen=rounds_chosen,
    )
    return None if found is None else msgspec.structs.replace(found, measured=is_measured)
