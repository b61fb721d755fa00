"""spotui estimate TEMPLATE."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from spotui.cli import exit_codes, options
from spotui.domain.errors import SpotuiError
from spotui.domain.figures import count, usd
from spotui.lang import _, as_asked

if TYPE_CHECKING:
    from spotui.llm.connector import Connector
    from spotui.runs.estimate import Estimate
    from spotui.runs.launch import Launcher
    from spotui.runs.prepare import Prepared
    from spotui.settings.table import RunSettings
    from spotui.workspace.projects import Workspace


def add_estimate_arguments(parser: argparse.ArgumentParser) -> None:
    """What `estimate` takes."""
    from spotui.settings.table import Group

    parser.add_argument(
        "template", metavar="TEMPLATE", help=_("a YAML file, or the name of your template or of an example")
    )
    parser.add_argument("--json", action="store_true", help=_("one JSON object"))
    options.add_method(parser)
    options.add_settings(parser, *(group for group in Group if group is not Group.TRACKING))
    options.add_workspace(parser)


def estimate_command(parsed: argparse.Namespace) -> int:
    """Print what a run is expected to take; no model is asked."""
    import msgspec

    from spotui.cli.fetching import missing_models, size_of
    from spotui.runs.launch import Launcher
    from spotui.settings.resources import find_template

    launcher, path = Launcher(), find_template(parsed.template)
    prepared = options.prepare(launcher, path, parsed)
    launcher.connector(prepared.settings).check_batches()
    estimate = expected(launcher, prepared, options.workspace(parsed))
    if estimate is None and parsed.json:
        print("null")
        return exit_codes.OK
    if estimate is None:
        print(_("The method {prepared} does not say what it takes.", prepared=prepared.name))
        return exit_codes.OK
    missing = [
        _(
            "{model_id} is not on this machine; a run fetches it first ({size_of}).",
            model_id=one.model_id,
            size_of=size_of(one),
        )
        for one in missing_models(prepared.settings)
    ]
    estimate = estimate.warning(*missing)
    if parsed.json:
        whole = {
            **msgspec.structs.asdict(estimate),
            "judge": _judge(launcher, path, parsed),
            "uses": _used(prepared.settings, launcher.connector(prepared.settings)),
        }
        print(msgspec.json.encode(whole, enc_hook=as_asked).decode())
        return exit_codes.OK
    for one in estimate.shares:
        print(
            _(
                "{role:10} {calls:>5} calls  {prompt_tokens:>7} tokens in  {completion_tokens:>7} "
                "out  {usd:>10}  {model}",
                role=one.role,
                calls=one.calls,
                prompt_tokens=count(one.prompt_tokens, estimated=True),
                completion_tokens=count(one.completion_tokens, estimated=True),
                usd=usd(one.usd, estimated=True),
                model=one.model,
            )
        )
    print(_("Expected: {estimate}", estimate=estimate.line))
    if estimate.batch_line:
        print(estimate.batch_line)
    if estimate.measured:
        print(_("Speeds are those of your last runs; the lengths of replies are typical ones."))
    else:
        print(_("Reply lengths and speeds are typical ones, not measured on your models."))
    for text in estimate.warnings:
        print(_("Warning: {text}", text=text))
    return exit_codes.OK


def _used(settings: "RunSettings", connector: "Connector") -> dict[str, object]:
    """The values that the run would use, whoever set them."""
    import msgspec

    from spotui.settings.table import ROLES

    models = {role: settings.roles.of(role).model for role in ROLES}
    ways = {model: connector.route_to(model) for model in dict.fromkeys(models.values())}
    return {
        "models": models,
        "endpoints": {
            model: way.endpoint.base_url or ("" if way.kind == "litellm" else _("this machine"))
            for model, way in ways.items()
        },
        "rounds": settings.max_rounds,
        **msgspec.structs.asdict(settings.budget),
    }


def _judge(launcher: "Launcher", path: Path, parsed: argparse.Namespace) -> dict[str, object] | None:
    """What `judge-check --estimate --json` says of the run's judge; None when it cannot be checked."""
    from spotui.cli.judge_check import judge_offer

    try:
        return judge_offer(launcher, options.prepare(launcher, path, parsed, "judge-check")).as_json()
    except SpotuiError:
        return None


def expected(launcher: "Launcher", prepared: "Prepared", workspace: "Workspace") -> "Estimate | None":
    """Estimate a run with the speed of the models that earlier runs measured; None if its method cannot tell.

    Raises:
        SpotuiError: The endpoint of a model is unknown.
    """
    from spotui.runs.estimate import estimate
    from spotui.workspace.paces import measured_paces

    paces = measured_paces(workspace, prepared.settings.models)
    return estimate(prepared, launcher.connector(prepared.settings), paces)
