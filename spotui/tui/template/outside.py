"""Editing a text in the user's own editor, with the terminal given to it for as long."""

import os
import shlex
import subprocess
import tempfile
from pathlib import Path

from textual.app import App, SuspendNotSupported

from spotui.errors import SpotuiError

_USUAL = ("nano", "vi")


class OutsideError(SpotuiError):
    """The user's editor cannot be used."""


def edit_outside(app: App[object], text: str, name: str) -> str:
    """Let the user edit a text, and wait until the editor is closed.

    Args:
        app: The app that lends its terminal.
        text: The text.
        name: What the file is to be called; editors tell its language by the ending.

    Returns:
        The text as it was left.

    Raises:
        OutsideError: There is no editor, it failed, or the terminal cannot be lent.
    """
    command = _command()
    with tempfile.TemporaryDirectory(prefix="spotui-") as folder:  # only the user can open it
        path = Path(folder) / name
        path.write_bytes(text.encode(errors="replace"))
        try:
            with app.suspend():
                fault = _run([*command, str(path)])
            left = path.read_bytes().decode()
        except SuspendNotSupported:
            raise OutsideError(
                "This terminal cannot be lent to an editor.", "Edit the file elsewhere."
            ) from None
        except OSError as error:
            raise OutsideError(f"The text cannot be taken back ({error.strerror}).") from None
        except UnicodeDecodeError:
            raise OutsideError(
                "The editor left bytes that are not UTF-8 text.", "Nothing is changed."
            ) from None
    if fault:
        raise OutsideError(f"{command[0]} {fault}.", "Nothing is changed.")
    return left


def _command() -> list[str]:
    for variable in ("VISUAL", "EDITOR"):
        if chosen := os.environ.get(variable, "").strip():
            try:
                return shlex.split(chosen)
            except ValueError:
                raise OutsideError(f"{variable} is not a command: {chosen}.", "Mend it.") from None
    from shutil import which

    for usual in _USUAL:
        if which(usual):
            return [usual]
    raise OutsideError("No editor was found.", "Set EDITOR to the command of yours.")


def _run(command: list[str]) -> str:
    """What went wrong; nothing may be raised here, or the terminal would not be taken back."""
    try:
        code = subprocess.run(command, check=False).returncode
    except OSError as error:
        return f"cannot be started ({error.strerror})"
    return f"ended with exit code {code}" if code else ""
