"""spotui doctor, spotui locate."""

import argparse
import os
import platform
import sys
import tempfile
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING

from spotui.cli import exit_codes, options
from spotui.domain.errors import SpotuiError
from spotui.domain.figures import aligned
from spotui.domain.version import VERSION
from spotui.lang import N_, _
from spotui.settings import locations

if TYPE_CHECKING:
    from spotui.llm.connector import Connector
    from spotui.settings.resolve import Source


_PACKAGES = ("aiohttp", "litellm", "msgspec", "textual", "tiktoken", "xllamacpp", "keyring")


def add_doctor_arguments(parser: argparse.ArgumentParser) -> None:
    """What `doctor` takes: the settings of a run, to see where each comes from."""
    options.add_workspace(parser)
    options.add_settings(parser)


def doctor_command(parsed: argparse.Namespace) -> int:
    """Check everything that a run needs, short of asking a model; prints no key."""
    print(
        _(
            "spotui {version}, Python {python_version}, {platform}",
            version=VERSION,
            python_version=platform.python_version(),
            platform=platform.platform(),
        )
    )
    packages = ", ".join(f"{name} {_version(name)}" for name in _PACKAGES)
    print(_("packages: {packages}", packages=packages))
    term, tty = os.environ.get("TERM", ""), sys.stdout.isatty()
    print(
        _(
            "terminal: TERM={term}, tty={tty}, encoding={encoding}",
            term=term,
            tty=tty,
            encoding=sys.stdout.encoding,
        )
    )
    checks: list[tuple[str, Callable[[], str]]] = [
        (_("workspace"), lambda: _writable(parsed)),
        (_("config"), lambda: _settings(parsed)),
        (_("meta-prompts"), _meta_prompts),
        (_("vocabulary"), _vocabulary),
        (_("sockets"), lambda: str(locations.ensure_runtime_dir())),
        (_("tracking"), lambda: _trackers(parsed)),
    ]
    failed = 0
    for name, check in checks:
        try:
            print(_("ok    {name}: {found}", name=name, found=check()))
        except SpotuiError as error:
            failed += 1
            print(_("wrong {name}: {what}", name=name, what=error.what))
            if error.hint:
                print(f"      {error.hint}")
    return exit_codes.FAILED if failed else exit_codes.OK


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return _("missing") if package != "keyring" else _("not installed (keys come from the environment)")


def _writable(parsed: argparse.Namespace) -> str:
    root = options.workspace(parsed).root
    place = root
    while not place.exists():
        place = place.parent
    try:
        tempfile.TemporaryFile(dir=place).close()
    except OSError as error:
        raise SpotuiError(
            _("{root} cannot be written: {strerror}.", root=root, strerror=error.strerror),
            _("Choose another with --workspace or SPOTUI_WORKSPACE."),
        ) from None
    return str(root)


def _settings(parsed: argparse.Namespace) -> str:
    from spotui.runs.launch import Launcher
    from spotui.settings.table import BY_KEY, ROLES, text_of, value_at

    launcher = Launcher()
    resolution = launcher.settings(options.flags(parsed))
    connector = launcher.connector(resolution.settings)
    lines = [str(locations.config_file())]
    for role in ROLES:
        model = resolution.settings.roles.of(role).model
        lines.append(_model_line(role, model, connector, resolution.sources[f"roles.{role}.model"]))
    if (embedding := resolution.settings.embedding_model) is not None:
        lines.append(
            _model_line("embedding", embedding, connector, resolution.sources["run.embedding_model"])
        )
    for key, source in resolution.sources.items():
        if not source.is_default and not key.endswith("model"):
            value = text_of(value_at(resolution.settings, BY_KEY[key].path))
            lines.append(f"      {key}: {value} ({source})")
    lines += [f"      {warning.what} {warning.hint}" for warning in resolution.warnings]
    return "\n".join(lines)


def _model_line(what: str, model: str, connector: "Connector", source: "Source") -> str:
    way = connector.route_to(model)
    said = (
        N_("{what}: {model} at {address}, with a key ({source})")
        if way.endpoint.api_key
        else N_("{what}: {model} at {address}, without a key ({source})")
    )
    address = way.endpoint.base_url or way.kind
    return f"      {_(said, what=what, model=model, address=address, source=source)}"


def _trackers(parsed: argparse.Namespace) -> str:
    """The trackers that runs are reported to; no network is used."""
    from spotui.cli.tracking import named_trackers
    from spotui.runs.launch import Launcher
    from spotui.wire.tracking import load_tracker

    names = named_trackers(parsed, Launcher())
    for name in names:
        load_tracker(name)
    return ", ".join(names) or _("none")


def _meta_prompts() -> str:
    from spotui.methods import check_meta_prompts

    check_meta_prompts(locations.meta_prompts_dir())
    return str(locations.meta_prompts_dir())


def _vocabulary() -> str:
    from spotui.llm.tokens import count_tokens

    if count_tokens("one two three").approximate:
        raise SpotuiError(
            _("tiktoken's vocabulary was not found."), _("Install spotui again: litellm carries it.")
        )
    return _("cl100k_base is here, offline")


def add_locate_arguments(parser: argparse.ArgumentParser) -> None:
    """`locate` takes nothing."""


def locate_command(parsed: argparse.Namespace) -> int:  # noqa: ARG001 - every verb has the same form
    """Print every path, and what decides it."""
    rows = [(place.name, f"{place.path}  ({place.why})") for place in locations.all_locations()]
    print("\n".join(aligned(rows, left=(0, 1))))
    return exit_codes.OK
