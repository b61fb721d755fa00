"""Looking without touching: nothing is written, started or sent to a run from this process.

Keys that change something are taken away first (`CHANGING`). Behind them is an audit hook, which Python asks
before a file is opened, a process is started and a command is sent to a run. It cannot be removed again.
"""

import errno
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from spotui.domain.errors import SpotuiError
from spotui.lang import _
from spotui.settings import locations

CHANGING: Final = frozenset(
    {
        "answers.left",
        "answers.override",
        "answers.pause",
        "answers.resume",
        "answers.right",
        "answers.tie",
        "answers.vote",
        "browser.upload",
        "candidate.take",
        "default.put_back",
        "edit_row.keep",
        "endpoints.check_judge",
        "endpoints.undo",
        "form.add_question",
        "headroom.start",
        "home.import",
        "home.undo",
        "import.take",
        "judge_check.start",
        "key_map.change",
        "key_map.put_back",
        "model.save",
        "model.test",
        "models.change",
        "models.new",
        "models.remove",
        "models.test",
        "new_race.continue",
        "new_rows.drop",
        "new_rows.edit",
        "new_rows.keep",
        "new_rows.keep_rest",
        "new_rows.more",
        "new_run.check_judge",
        "new_run.headroom",
        "projects.delete",
        "projects.duplicate",
        "projects.new",
        "projects.rename",
        "questions.add",
        "questions.down",
        "questions.remove",
        "questions.up",
        "race.go_on",
        "race.report",
        "race.stop",
        "roles.change",
        "roles.test",
        "run.branch",
        "run.edit_next",
        "run.edit_source",
        "run.export",
        "run.go_on",
        "run.hint",
        "run.limits",
        "run.override",
        "run.pause",
        "run.report",
        "run.resume",
        "run.stop",
        "run.try",
        "scores.stop",
        "template.outside",
        "template.save",
        "template.write_rows",
        "templates.delete",
        "templates.duplicate",
        "templates.new",
        "templates.race",
        "templates.rename",
        "themes.keep",
        "try.add",
        "try.ask",
        "wizard.save",
    }
)
"""The ids of bindings that are no use to somebody who may only look."""

LOOKING: Final = (("replay",), ("methods",), ("check",), ("models", "find"))
"""Verbs that change nothing and cost nothing; the screens ask them."""

_WRITES: Final = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
_CHANGES: Final = frozenset(
    {"os.chmod", "os.chown", "os.link", "os.mkdir", "os.remove", "os.rename", "os.rmdir", "os.symlink"}
    | {"os.truncate", "os.utime"}
)
_STARTS: Final = frozenset(
    {"os.exec", "os.fork", "os.forkpty", "os.posix_spawn", "os.spawn", "os.system", "pty.spawn"}
)


class ReadOnlyError(SpotuiError):
    """Somebody who may only look wanted to start or to steer something."""

    def __init__(self) -> None:
        super().__init__(
            _("This is a read-only visit."), _("Nothing can be started, steered, saved or deleted here.")
        )


def forbid_changes() -> None:
    """Refuse every change from now on, until this process ends.

    A file that is opened to be written raises OSError (read-only file system), as do other changes of files.
    A process raises ReadOnlyError unless it is one of LOOKING, and so do a command to a run and a signal to
    another process.
    Logs can be written.
    """
    logs = str(locations.log_dir())

    def refuse(event: str, arguments: tuple[object, ...]) -> None:
        if event == "open":
            path, _mode, flags = arguments
            if isinstance(flags, int) and flags & _WRITES and not _may_write(path, logs):
                raise OSError(errno.EROFS, os.strerror(errno.EROFS), path)
        elif event in _CHANGES:
            if not _may_write(arguments[0], logs):
                raise OSError(errno.EROFS, os.strerror(errno.EROFS), arguments[0])
        elif event == "subprocess.Popen":
            if not _only_looks(arguments[1]):
                raise ReadOnlyError
        elif event in ("os.kill", "os.killpg"):
            pid, number = arguments
            if number and not (event == "os.kill" and _is_child(pid)):
                raise ReadOnlyError
        elif event in _STARTS or event == "spotui.send":
            raise ReadOnlyError

    sys.addaudithook(refuse)


def _may_write(path: object, logs: str) -> bool:
    if isinstance(path, int):  # it is open already
        return True
    if not isinstance(path, str | bytes | os.PathLike):
        return False
    text = os.path.realpath(os.fsdecode(path))
    return text == os.devnull or Path(text).is_relative_to(os.path.realpath(logs))


def _is_child(pid: object) -> bool:
    """Whether a process was started by this one, as those are that only look."""
    try:
        os.waitid(os.P_PID, int(str(pid)), os.WEXITED | os.WNOHANG | os.WNOWAIT)
    except (ChildProcessError, ValueError):
        return False
    return True


def _only_looks(arguments: object) -> bool:
    if not isinstance(arguments, Sequence) or isinstance(arguments, str | bytes):
        return False
    words = [os.fsdecode(one) if isinstance(one, str | bytes | os.PathLike) else "" for one in arguments]
    if words[:1] != [sys.executable] or words[1:2] == ["-c"] or "spotui" not in words[:4]:
        return False
    asked = tuple(words[words.index("spotui") + 1 :])
    return any(asked[: len(verb)] == verb for verb in LOOKING)
