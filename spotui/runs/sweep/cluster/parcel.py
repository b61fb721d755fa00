"""What a worker needs for a run, as it travels: the project's files, and what its user has agreed to."""

from pathlib import Path
from typing import TYPE_CHECKING, Final

import msgspec

from spotui.runs.launch import Launcher
from spotui.runs.trust import reach_of_project
from spotui.settings.config_file import Config, ConfigFile, ModelConfig
from spotui.settings.table import BudgetSettings, RunSettings
from spotui.workspace.files import read_file, write_file
from spotui.workspace.projects import Project

if TYPE_CHECKING:
    from collections.abc import Mapping

    from spotui.llm.connector import MakeLimiter

_KEY: Final = "SPOTUI_SENT_KEY_"


class Terms(msgspec.Struct, frozen=True, kw_only=True):
    """What holds for all runs of a sweep.

    Attributes:
        budget: The limits of the pool.
        models: Endpoints by model id, as home's config file has them.
        keys: Values of environment variables that the user sends along; empty unless asked for.
        shared: The workspace, where all machines see the same; empty where files travel.
        reports: Whether home reports the runs to trackers, so that workers send it what these are given.
    """

    budget: BudgetSettings
    models: dict[str, ModelConfig] = {}
    keys: dict[str, str] = {}
    shared: str = ""
    reports: bool = False


class Parcel(msgspec.Struct, frozen=True, kw_only=True):
    """A run as it travels.

    Attributes:
        project: The name of its project.
        snapshot: run.yaml.
        rows: rows.jsonl; empty where there is none.
        journal: journal.jsonl, as it is at home.
        files: Images and files of its questions, by name.
        metric: A custom metric that the user has trusted: its name, its file's text, and its function.
        prompts: Prompts to test, as JSON; empty for a run.
    """

    project: str
    snapshot: bytes
    rows: bytes = b""
    journal: bytes = b""
    files: dict[str, bytes] = {}
    metric: tuple[str, bytes, str] | None = None
    prompts: bytes = b""


def pack(project: Project, journal: Path, prompts: bytes = b"") -> Parcel:
    """A project as it travels.

    Args:
        project: The project.
        journal: The journal that belongs to it.
        prompts: See `Parcel`.

    Raises:
        OSError: One of its files cannot be read.
        SpotuiError: The project is damaged.
    """
    metric = reach_of_project(project).metric
    files = {one.name: read_file(one) for one in project.files.iterdir()} if project.files.is_dir() else {}
    return Parcel(
        project=project.name,
        snapshot=read_file(project.snapshot),
        rows=read_file(project.rows) if project.rows.exists() else b"",
        journal=read_file(journal),
        files=files,
        metric=None if metric is None else (metric.name, metric.source, metric.function),
        prompts=prompts,
    )


def unpack(parcel: Parcel, folder: Path) -> Project:
    """Write a project down on a worker; the journal of a test is another one's, and `unpack_test` has it.

    Args:
        parcel: What came.
        folder: An empty folder that only this run uses.

    Raises:
        OSError: The disk is full or read-only.
    """
    project = Project(folder / "project", parcel.project)
    project.prompts.mkdir(parents=True)
    write_file(project.snapshot, parcel.snapshot)
    if not parcel.prompts:
        write_file(project.journal, parcel.journal)
    if parcel.rows:
        write_file(project.rows, parcel.rows)
    for name, content in parcel.files.items():
        project.files.mkdir(exist_ok=True)
        write_file(project.files / Path(name).name, content)
    return project


def unpack_test(parcel: Parcel, folder: Path) -> Path:
    """Write down on a worker what a test has asked already; the folder that `open_ruler` opens.

    Args:
        parcel: What came.
        folder: As in `unpack`.

    Raises:
        OSError: The disk is full or read-only.
    """
    kept = folder / "test"
    kept.mkdir()
    write_file(kept / "journal.jsonl", parcel.journal)
    return kept


def launcher_for(
    terms: Terms, settings: RunSettings, environ: "Mapping[str, str]", limiters: "MakeLimiter | None" = None
) -> Launcher:
    """What makes runs on a worker: its own keys, and endpoints as home's config file has them.

    Raises:
        SettingsError: The worker's config file is wrong.
    """
    launcher = Launcher({**environ, **terms.keys}, limiters=limiters)
    launcher.config = ConfigFile(config=Config(models=terms.models))
    launcher.agree_to(settings)
    return launcher


def keys_to_send(
    launcher: Launcher, every: "list[RunSettings]"
) -> tuple[dict[str, ModelConfig], dict[str, str]]:
    """The endpoints of home's config file, with a variable for each key that home has, and these variables.

    Args:
        launcher: Home's.
        every: The settings of all runs.

    Raises:
        SettingsError: A model id names nothing, or home itself lacks a key.
    """
    models, keys = dict(launcher.config.config.models), dict[str, str]()
    for settings in every:
        connector = launcher.connector(settings)
        for model in settings.models:
            secret = connector.route_to(model).endpoint.api_key
            if secret is None:
                continue
            name = f"{_KEY}{len(keys)}"
            keys[name] = secret.reveal()
            entry = models.get(model, ModelConfig())
            models[model] = msgspec.structs.replace(entry, api_key_env=name, api_key_keyring=False)
    return models, keys
