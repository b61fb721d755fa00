"""A run in a separate process, which outlives whoever started it."""

import socket
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from spotui.domain.errors import SpotuiError
from spotui.lang import _
from spotui.settings import locations
from spotui.workspace.projects import Project

if TYPE_CHECKING:
    from spotui.workspace.race_file import RaceFolder

RUN_ENDED = frozenset({0, 3, 4, 5, 6, 7, 11})
"""Exit codes of a run that began; every other one says that it did not."""

_MODULES = frozenset({"__main__.py", "visitor.py"})
"""The files of modules that `python -m` starts."""


def command(words: Sequence[str], module: str = "spotui") -> list[str]:
    """What runs `spotui WORDS`, or a module of it, with this interpreter and this spotui.

    Python would look into the folder it is started in first, and a file there may be called like one of its
    modules. Only who started spotui with `python -m` may have it there.
    """
    from_module = not sys.flags.safe_path and Path(sys.argv[0]).name in _MODULES
    return [sys.executable, *([] if from_module else ["-P"]), "-m", module, *words]


# A child that nobody holds on to is never reaped.
_children: list["subprocess.Popen[bytes]"] = []


class Background:
    """Works in the background, waits for a person when a call fails, and writes a log.

    Args:
        name: What is worked on.
        words: What to do; nothing is added.

    Attributes:
        log: What it says goes here.

    Raises:
        SpotuiError: The log cannot be written.
    """

    def __init__(self, name: str, words: Sequence[str]) -> None:
        self.log = locations.run_log(name)
        self._name = name
        try:
            output = locations.open_log(self.log, "ab")
        except OSError as error:
            raise SpotuiError(
                _("The log {log} cannot be written: {strerror}.", log=self.log, strerror=error.strerror),
                _("Set SPOTUI_LOG_DIR to another folder."),
            ) from None
        with output:
            self._start = output.tell()
            self._process = subprocess.Popen(
                command(words),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        _children[:] = [child for child in _children if child.poll() is None] + [self._process]

    @property
    def said(self) -> str:
        """What it wrote into the log so far."""
        with self.log.open("rb") as file:
            file.seek(self._start)
            return file.read().decode(errors="replace").strip()

    @property
    def has_ended(self) -> bool:
        """Whether the process is gone."""
        return self._process.poll() is not None

    def is_ready(self) -> bool:
        """Whether it works, or has ended already; until then ask again.

        Raises:
            SpotuiError: It did not start, and why.
        """
        if self.has_ended:
            if self._process.returncode not in RUN_ENDED:
                raise SpotuiError(
                    _("{name} did not start:\n{said}", name=self._name, said=self.said),
                    _("The log is {log}.", log=self.log),
                )
            return True
        return self.is_working()

    def is_working(self) -> bool:
        """Whether it has begun, as far as others can see."""
        raise NotImplementedError

    def end(self) -> None:
        """End it at once; everything it has written stays."""
        self._process.kill()
        self._process.wait()


class OwnProcess(Background):
    """Works on a project.

    Args:
        project: The project; it need not exist yet when it is the words that make it.
        words: What to do, such as `resume NAME`; how it is shown is added here.

    Attributes:
        project: The project.

    Raises:
        SpotuiError: The log cannot be written.
    """

    def __init__(self, project: Project, words: Sequence[str]) -> None:
        self.project = project
        root = project.folder.parents[project.name.count("/")]
        how = ["--workspace", str(root), "--plain", "--on-failure", "pause", "--yes"]
        super().__init__(project.name, [*words, *how])

    def is_working(self) -> bool:
        """Whether the run can be attached to."""
        return _listens(locations.socket_path(self.project.folder))


class OwnRace(Background):
    """Works on a race, one method after another.

    Args:
        race: The race; it need not exist yet.
        words: What to do; how it is shown is added here.

    Raises:
        SpotuiError: The log cannot be written.
    """

    def __init__(self, race: "RaceFolder", words: Sequence[str]) -> None:
        self.race = race
        how = ["--workspace", str(race.workspace.root), "--on-failure", "pause", "--yes"]
        super().__init__(race.name, [*words, *how])

    def is_working(self) -> bool:
        """Whether it holds the race, with all that it needs at hand."""
        return self.race.is_running and self.race.exists


def _listens(path: Path) -> bool:
    """A process that was killed leaves its socket behind, so that it is there says nothing."""
    with socket.socket(socket.AF_UNIX) as client:
        try:
            client.connect(str(path))
        except OSError:
            return False
    return True
