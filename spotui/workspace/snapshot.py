"""run.yaml: everything a run was started with, so that it can be resumed exactly."""

import re
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec
import yaml

from spotui.domain.errors import SpotuiError
from spotui.domain.records import Moment
from spotui.lang import _
from spotui.workspace.files import hint_for, read_file, write_file

SNAPSHOT_VERSION = 2
"""From 2 on, `edition` is written last: a file that was cut off is known by that."""

_LAST_KEY = "edition"

# YAML 1.1 takes these for line breaks and turns them into others, unless they are escaped.
_LINE_BREAKS = "\x85\u2028\u2029"

# libyaml takes what lies beyond for unprintable.
_BEYOND = re.compile("[\U00010000-\U0010ffff]")


class SnapshotError(SpotuiError):
    """run.yaml cannot be read."""


class Origin(msgspec.Struct, frozen=True):
    """Where a run that did not start from its template came from."""

    project: str
    round: int


class KeptStart(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A prompt that the run tries before it asks the optimizer for new ones, and how it differs."""

    prompt: str
    modification: str = ""


class Snapshot(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The settings of one run, frozen at its start.

    Attributes:
        version: The format of this file.
        run: The run's id, the same as in its journal.
        created: When the run was set up.
        method: The method's name.
        template_name: What the template was called.
        template: The template's text, verbatim.
        questions: The question set: positions in the template's qa, drawn once with the run's seed.
        held_out: Positions that no round sees; they are scored at the end.
        meta_prompts: The texts that steer optimizer and judge. A call is found in the journal by what was
            asked, so a run keeps its own when the user, or a new version, changes them.
        settings: Roles, rounds, seed, judge, budget and retry, as `spotui.settings` writes them.
        origin: The project and round this run was branched from.
        parameters: The method's parameters that differ from its defaults.
        template_folder: Where the template lay: a metric of the user's own may lie there, too.
        final_test: Whether the run tests its best prompt itself; somebody else does, in a race.
        edition: The edition of how its method words what it asks (`spotui.engine.task.EDITION`).
        starts: Prompts that take the place of the first proposals: probes that beat the seed.
    """

    version: int
    run: str
    created: Moment
    method: str
    template_name: str
    template: str
    questions: tuple[int, ...]
    held_out: tuple[int, ...]
    settings: dict[str, Any]
    meta_prompts: dict[str, str] = {}
    origin: Origin | None = None
    parameters: dict[str, Any] = {}
    template_folder: str = ""
    final_test: bool = True
    edition: int = 1
    starts: tuple[KeptStart, ...] = ()


# Those in C take a fifteenth and an eighth of the time; some installations of PyYAML lack them.
_Loader: type[yaml.SafeLoader] | type[yaml.CSafeLoader] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_FastDumper: type[yaml.SafeDumper] = getattr(yaml, "CSafeDumper", yaml.SafeDumper)


class _Dumper(yaml.SafeDumper):
    """Writes texts of several lines as blocks, so that run.yaml reads like the template."""


class _PlainDumper(_FastDumper):  # type: ignore[misc, valid-type]
    """The same for texts without emoji, which libyaml would escape."""


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    if any(mark in text for mark in _LINE_BREAKS):
        style: str | None = '"'
    else:
        style = "|" if "\n" in text else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _text)
_PlainDumper.add_representer(str, _text)


def write_snapshot(path: Path, snapshot: Snapshot) -> None:
    """Write run.yaml in one step.

    Raises:
        OSError: The disk is full or read-only.
    """
    data = msgspec.to_builtins(snapshot, builtin_types=(datetime,))
    data = {key: value for key, value in data.items() if value is not None}
    data[_LAST_KEY] = data.pop(_LAST_KEY)
    dumper = _Dumper if _BEYOND.search(repr(data)) else _PlainDumper
    write_file(path, yaml.dump(data, Dumper=dumper, sort_keys=False, allow_unicode=True, width=100).encode())


def read_snapshot(path: Path) -> Snapshot:
    """Read run.yaml.

    Raises:
        SnapshotError: It is missing, unreadable, or not what spotui wrote.
    """
    try:
        text = read_file(path).decode()
        data = yaml.load(text, _Loader)  # noqa: S506 - both are safe loaders
    except OSError as error:
        raise SnapshotError(
            _("{path} cannot be read: {strerror}.", path=path, strerror=error.strerror),
            hint_for(error, _("Restore it from a backup, or branch a new run from a round of this one.")),
        ) from None
    except (yaml.YAMLError, ValueError, RecursionError) as error:  # a date can be out of the calendar
        raise _damaged(path, error) from None
    match data:
        case {"version": int(version)} if version > SNAPSHOT_VERSION:
            raise SnapshotError(
                _("{path} was written by a newer spotui.", path=path), _("Update spotui to open it.")
            )
        case {"version": 2} if _LAST_KEY not in data or not text.endswith("\n"):
            raise _damaged(path, ValueError(_("it breaks off before its end")))
    try:
        return msgspec.convert(data, Snapshot)
    except msgspec.ValidationError as error:
        raise _damaged(path, error) from None


def _damaged(path: Path, error: Exception) -> SnapshotError:
    return SnapshotError(
        _("{path} is damaged: {error}.", path=path, error=" ".join(str(error).split())),
        _("Restore it from a backup."),
    )
