"""Programs that answer in place of a model, and whether the user has agreed to them.

A template is data, which may come from anybody: a command that only a template names is started, and an
address that only a template names is asked, once the user has said yes. A yes to a command is for its words
and for the files of its folder that it names, as they are: a changed file is asked about again.
"""

import hashlib
import os
import shlex
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

import msgspec

from spotui.lang import _
from spotui.settings.errors import SettingsError
from spotui.settings.table import PROGRAM_PREFIX, ProgramSettings
from spotui.settings.trust import VARIABLE, is_trusted_program, trust_program

_BLOCK: Final = 1024 * 1024
_LAUNCHERS: Final = ("run", "exec")
"""Words before a program's name in commands such as `uv run agent.py`."""


class Program(msgspec.Struct, frozen=True):
    """A program, as settings name it.

    Attributes:
        command: The words of its command; none where it is an address.
        folder: The folder that it starts in, without links.
        url: Its address; empty where it is a command.
    """

    command: tuple[str, ...] = ()
    folder: Path = Path()
    url: str = ""

    @property
    def name(self) -> str:
        """Its name for a person, for example `agent.py`."""
        return program_name(shlex.join(self.command) if self.command else None, self.url)

    @property
    def shown(self) -> str:
        """Its command or its address."""
        return self.url or shlex.join(self.command)

    @property
    def files(self) -> tuple[Path, ...]:
        """The files in its folder that the command names, in their order."""
        found = (path for word in self._places() if (path := self._inside(word)) is not None)
        return tuple(dict.fromkeys(found))

    @property
    def location(self) -> str:
        """What a person names to agree to it: its first file, else its folder, or its address."""
        return self.url or str(next(iter(self.files), self.folder))

    @property
    def digest(self) -> str:
        """The SHA-256 of its command and of the files that the command names, in hexadecimal."""
        whole = hashlib.sha256(msgspec.json.encode([self.command, str(self.folder), self.url]))
        for path in self.files:
            whole.update(_digest_of(path))
        return whole.hexdigest()

    def _places(self) -> Iterator[str]:
        """The paths that words of the command may be."""
        before = ""
        for word in self.command:
            if before == "-m":
                module = word.replace(".", "/")
                yield from (f"{module}.py", f"{module}/__main__.py", f"{module}/__init__.py")
            else:
                yield word
                yield word.partition("=")[2]
            before = word

    def _inside(self, word: str) -> Path | None:
        try:
            path = (self.folder / Path(word)).resolve() if word else self.folder
            return path if path.is_file() and path.is_relative_to(self.folder) else None
        except (OSError, RuntimeError, ValueError):
            return None


class UntrustedProgramError(SettingsError):
    """A program that the user has not agreed to as it is.

    Args:
        program: The program.
    """

    def __init__(self, program: Program) -> None:
        self.program, self.path = program, program.location
        hint = _(
            "If you trust it, repeat the command with --trust {place} (or set {variable} to that).",
            place=program.location,
            variable=VARIABLE,
        )
        if program.url:
            what = _(
                "The executor is a program at {url}, which would be sent every prompt and row, and you have "
                "not agreed to that.",
                url=program.url,
            )
        else:
            what = _(
                "The executor is the program '{command}', which you have not trusted as it is now, so it is "
                "not started.",
                command=program.shown,
            )
        super().__init__(what, hint)


def program_of(settings: ProgramSettings) -> Program | None:
    """The program that settings name, or None."""
    if settings.url:
        return Program(url=settings.url)
    if settings.command:
        return Program(tuple(shlex.split(settings.command)), Path(settings.folder).resolve())
    return None


def program_model(settings: ProgramSettings) -> str:
    """The model id under which the program of some settings is asked."""
    return PROGRAM_PREFIX + "-".join(program_name(settings.command, settings.url or "").split())


def program_name(command: str | None, url: str) -> str:
    """A short name: the file or module that a command runs, or an address without its scheme."""
    if not command:
        return url.partition("://")[2].partition("?")[0].rstrip("/") or url
    first, *rest = shlex.split(command)
    words = [word for word in rest if not word.startswith("-") and word not in _LAUNCHERS]
    named = next((word for word in words if Path(word).suffix), words[0] if words else first)
    return Path(named).name or named


def terms_of(program: Program) -> str:
    """What the user agrees to with a program, for the question."""
    if program.url:
        return _(
            "The executor is a program at an address, which is sent every prompt and row:\n  {url}\n"
            "You are not asked again about that address.",
            url=program.url,
        )
    return _(
        "The executor is a program, which can do whatever you can do on this machine:\n  {command}\n"
        "It starts in {folder}.{files}\nSHA-256 {digest}\nRead it before you say yes. You are asked again "
        "when the command or these files change.",
        command=program.shown,
        folder=program.folder,
        files="".join(f"\n  {path}" for path in program.files),
        digest=program.digest,
    )


def is_agreed(program: Program, environ: Mapping[str, str] | None = None) -> bool:
    """Whether the user has agreed to a program as it is.

    Raises:
        SettingsError: The list of what is trusted cannot be read.
    """
    return is_trusted_program(program.location, program.digest, os.environ if environ is None else environ)


def agree(program: Program) -> None:
    """Remember the user's yes to a program as it is.

    Raises:
        SettingsError: The list of what is trusted cannot be read or written.
    """
    trust_program(program.location, program.digest)


def _digest_of(path: Path) -> bytes:
    found = hashlib.sha256(str(path).encode())
    try:
        with path.open("rb") as file:
            while block := file.read(_BLOCK):
                found.update(block)
    except OSError as error:
        raise SettingsError(
            _("{path} cannot be read: {why}.", path=path, why=error.strerror or error)
        ) from None
    return found.digest()
