"""What the user has said yes to: files and programs that may run, and data files that may be sent.

A yes to the Python file of a custom metric is for one file in one place with one content: a changed file, or
a copy of it, is asked about again. A yes to a data file is for the templates of one folder: what is in the
file may change, as data does.
"""

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

import msgspec

from spotui.lang import _
from spotui.settings import locations
from spotui.settings.errors import SettingsError
from spotui.settings.locations import expanded
from spotui.settings.writing import alone, read_private, unwritable, write_text

VARIABLE: Final = "SPOTUI_TRUST"
"""Names files that are trusted without a yes, as CI needs it; several are separated like those of PATH."""


_MOST_PROGRAMS: Final = 20


class _Trusted(msgspec.Struct, frozen=True, omit_defaults=True):
    """A file.

    Attributes:
        sha256: The content that may run; empty when none may.
        folders: The folders whose templates may send its rows to a model.
        programs: The digests of the commands with this file that may run, the newest last.
    """

    sha256: str = ""
    folders: tuple[str, ...] = ()
    programs: tuple[str, ...] = ()


def is_trusted(path: Path, digest: str, environ: Mapping[str, str] | None = None) -> bool:
    """Whether the user has trusted a file with this content.

    Args:
        path: The file, without links.
        digest: The SHA-256 of its content.
        environ: The environment, the process's own when None.

    Raises:
        SettingsError: The list cannot be read.
    """
    known = _read().get(str(path))
    return _is_named(path, environ) or (known is not None and known.sha256 == digest)


def trust(path: Path, digest: str) -> None:
    """Remember the user's yes to a file with this content.

    Raises:
        SettingsError: The list cannot be read or written.
    """
    _change(path, lambda known: msgspec.structs.replace(known, sha256=digest))


def may_be_sent(path: Path, folder: Path, environ: Mapping[str, str] | None = None) -> bool:
    """Whether the user has agreed that templates of a folder send the rows of a file outside of it.

    Args:
        path: The file, without links.
        folder: The folder of the template, without links.
        environ: The environment, the process's own when None.

    Raises:
        SettingsError: The list cannot be read.
    """
    known = _read().get(str(path))
    return _is_named(path, environ) or (known is not None and str(folder) in known.folders)


def allow_sending(path: Path, folder: Path) -> None:
    """Remember the user's yes to a data file for the templates of a folder.

    Raises:
        SettingsError: The list cannot be read or written.
    """
    _change(
        path,
        lambda known: msgspec.structs.replace(
            known, folders=(*(one for one in known.folders if one != str(folder)), str(folder))
        ),
    )


def is_trusted_program(path: str, digest: str, environ: Mapping[str, str]) -> bool:
    """Whether the user has agreed to a program as it is.

    Args:
        path: Its file or folder, without links, or its address.
        digest: That of its command and files.
        environ: The environment.

    Raises:
        SettingsError: The list cannot be read.
    """
    named = environ.get(VARIABLE, "").split()  # an address: the separator of paths is in those, too
    is_named = path in named if "://" in path else _is_named(Path(path), environ)
    known = _read().get(path)
    return is_named or (known is not None and digest in known.programs)


def trust_program(path: str, digest: str) -> None:
    """Remember the user's yes to a program as it is.

    Raises:
        SettingsError: The list cannot be read or written.
    """
    _change(
        path,
        lambda known: msgspec.structs.replace(
            known,
            programs=(*(one for one in known.programs if one != digest), digest)[-_MOST_PROGRAMS:],
        ),
    )


def _is_named(path: Path, environ: Mapping[str, str] | None) -> bool:
    named = (os.environ if environ is None else environ).get(VARIABLE, "")
    return any(_resolved(one) == path for one in named.split(os.pathsep) if one)


def _change(path: Path | str, change: Callable[[_Trusted], _Trusted]) -> None:
    place = locations.trusted_file()
    try:
        with alone(place):
            known = _read()
            known[str(path)] = change(known.get(str(path), _Trusted()))
            write_text(place, msgspec.json.format(msgspec.json.encode(known), indent=1).decode() + "\n")
    except OSError as error:
        raise unwritable(place, error) from error


def _read() -> dict[str, _Trusted]:
    place = locations.trusted_file()
    try:
        return msgspec.json.decode(read_private(place), type=dict[str, _Trusted])
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise SettingsError(
            _("{place} cannot be read: {strerror}.", place=place, strerror=error.strerror)
        ) from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        hint = _("Delete it; you are then asked again about every file.")
        raise SettingsError(_("{place} is damaged: {error}.", place=place, error=error), hint) from None


def _resolved(named: str) -> Path | None:
    try:
        return expanded(named).resolve()
    except (OSError, RuntimeError):
        return None
