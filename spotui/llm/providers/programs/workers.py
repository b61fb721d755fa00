"""The processes of a command: each answers one line at a time, and lives on between two."""

import asyncio
import os
import shutil
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final, TypeVar

from spotui.lang import _
from spotui.llm.protocol import BadRequestError, ProgramFailedError
from spotui.llm.providers.faults.http_errors import Target
from spotui.llm.providers.http import LONGEST_REPLY, oversized
from spotui.settings.locations import expanded
from spotui.settings.programs import Program

_KEEPER: Final = Path(__file__).with_name("keeper.py")
_LONGEST_NOTE: Final = 500
_NOTES_OF_A_CALL: Final = 20
_NOTES_IN_ALL: Final = 1_000
_BLOCK: Final = 65_536
_DYING_SECONDS: Final = 2.0
_PYTHONS: Final = ("python", "python3")
_SIGNALLED: Final = 128


Result = TypeVar("Result")


class _EndedError(Exception):
    """A process ended before it answered.

    Args:
        code: Its exit code; 128 and the signal's number where it was killed by one.
        last: The last line that it wrote to standard error.
    """

    def __init__(self, code: int, last: str) -> None:
        super().__init__(code)
        self.code, self.last = code, last


class Notes:
    """Passes on what processes write to standard error, line by line, as far as somebody can read it.

    Args:
        target: The program, which masks keys.
        name: Its name in front of each line.
        tell: Called with each line.
    """

    def __init__(self, target: Target, name: str, tell: Callable[[str], None]) -> None:
        self._target = target
        self._name = name
        self._tell = tell
        self._left = _NOTES_IN_ALL

    def take(self, line: bytes, number: int) -> None:
        """Pass on a line, the one with this number since the last answer, unless there were too many."""
        if self._left < 0:
            return
        if number > _NOTES_OF_A_CALL:
            self._say(_("what else it writes for this answer is left out"))
            return
        self._left -= 1
        if self._left < 0:
            self._say(_("what else it writes is left out"))
        elif shown := self._target.quote(_text(line)):
            self._say(shown)

    def _say(self, text: str) -> None:
        self._tell(_("{name}: {text}", name=self._name, text=text))


def _text(line: bytes) -> str:
    return line[: 4 * _LONGEST_NOTE].decode("utf-8", "replace")[:_LONGEST_NOTE].strip()


class _Worker:
    """One process; made by `start`."""

    def __init__(self, process: Process, life: int, notes: Notes) -> None:
        if process.stdin is None or process.stdout is None or process.stderr is None:
            raise RuntimeError("asyncio gave no pipes for a process")
        self._process = process
        self._life: int | None = life
        self._input = process.stdin
        self._output = process.stdout
        self._errors = process.stderr
        self._notes = notes
        self._written = 0
        self._last = b""
        self.answered = 0
        self._listening = asyncio.create_task(self._listen())

    @classmethod
    async def start(cls, command: list[str], folder: Path, env: Mapping[str, str], notes: Notes) -> "_Worker":
        """Start a command that is there.

        Raises:
            OSError: The system starts no more processes.
        """
        theirs, life = os.pipe()
        try:
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-I", "-S", str(_KEEPER), str(theirs)),
                *command,
                stdin=PIPE,
                stdout=PIPE,
                stderr=PIPE,
                cwd=folder,
                env=dict(env),
                limit=LONGEST_REPLY,
                pass_fds=(theirs,),
                start_new_session=True,
            )
        except BaseException:
            os.close(life)
            raise
        finally:
            os.close(theirs)
        return cls(process, life, notes)

    @property
    def has_ended(self) -> bool:
        """Whether it can be asked no more."""
        return self._process.returncode is not None or self._output.at_eof()

    async def ask(self, line: bytes) -> bytes:
        """The line that it answers with.

        Raises:
            _EndedError: It ended instead.
            asyncio.LimitOverrunError: The line is too long.
        """
        self._written = 0
        with suppress(ConnectionError):  # it may have closed its input and still answer
            self._input.write(line)
            await self._input.drain()
        try:
            answer = await self._output.readuntil(b"\n")
        except asyncio.IncompleteReadError as error:
            answer = error.partial
            if not answer.strip():
                raise _EndedError(await self._end_of_itself(), _text(self._last)) from None
        self.answered += 1
        return answer

    async def _end_of_itself(self) -> int:
        """The exit code of a process that has closed its output."""
        with suppress(TimeoutError):
            async with asyncio.timeout(_DYING_SECONDS):
                await self._process.wait()
                await asyncio.shield(self._listening)
        self.kill()
        return await self._process.wait()

    def kill(self) -> None:
        """Kill it with all that it has started; safe to call twice."""
        if self._life is not None:
            os.close(self._life)
            self._life = None

    async def aclose(self) -> None:
        """Kill it and wait until it is gone; safe to call twice."""
        self.kill()
        await self._process.wait()
        await self._listening
        self._input.close()
        while await self._output.read(_BLOCK):
            pass

    async def _listen(self) -> None:
        """Read standard error to its end, so that the process never waits for a reader."""
        rest = b""
        while block := await self._errors.read(_BLOCK):
            *lines, rest = (rest + block).split(b"\n")
            self._note([line for line in lines if line.strip()])
            rest = rest[: 4 * _LONGEST_NOTE]
        self._note([rest] if rest.strip() else [])

    def _note(self, lines: Sequence[bytes]) -> None:
        for line in lines[: max(0, _NOTES_OF_A_CALL + 1 - self._written)]:
            self._written += 1
            self._notes.take(line, self._written)
        self._last = lines[-1] if lines else self._last


class WorkerPool:
    """All processes of one command, as many as there are calls at once; for one event loop.

    A process that fails at a call, in whatever way, is killed, and the next call starts another one.

    Args:
        program: The command; the user has agreed to it.
        target: The same, for the errors.
        environ: The environment of its processes.
        tell: Called with each line that they write to standard error.
    """

    def __init__(
        self, program: Program, target: Target, environ: Mapping[str, str], tell: Callable[[str], None]
    ) -> None:
        self._program = program
        self._target = target
        # Python would keep what it prints until there is enough of it.
        self._environ = {**environ, "PYTHONUNBUFFERED": "1"}
        self._notes = Notes(target, program.name, tell)
        self._idle: list[_Worker] = []
        self._ending: set[asyncio.Task[None]] = set()

    async def ask(self, line: bytes, seconds: float, read: Callable[[bytes], Result]) -> Result:
        """The answer of a process.

        Args:
            line: What it is asked.
            seconds: How long it may take, its start included.
            read: Reads the line that it answers with; the process is killed where that raises.

        Raises:
            BadRequestError: The command cannot be started.
            ProgramFailedError: There is no answer to this line.
        """
        worker: _Worker | None = None
        try:
            async with asyncio.timeout(seconds):
                while True:
                    worker = await self._worker()
                    try:
                        answer = read(await worker.ask(line))
                    except _EndedError as end:
                        if end.code or not worker.answered:
                            raise
                        # One that ends by itself after some answers has not seen this line.
                        self._end(worker)
                    else:
                        break
        except TimeoutError:
            what = _("{place} gave no answer within {seconds:g} s", place=self._target, seconds=seconds)
            hint = _("If it needs longer, raise --exec-timeout.")
            raise ProgramFailedError(self._target.sentence(what), hint) from None
        except _EndedError as end:
            raise ProgramFailedError(self._target.sentence(self._end_in_words(end), end.last)) from None
        except asyncio.LimitOverrunError:
            raise ProgramFailedError(oversized(self._target).what) from None
        else:
            self._idle.append(worker)
            worker = None
            return answer
        finally:
            if worker is not None:
                self._end(worker)

    async def aclose(self) -> None:
        """End every process; safe to call twice."""
        while self._idle:
            self._end(self._idle.pop())
        while self._ending:
            await asyncio.gather(*self._ending)

    async def _worker(self) -> _Worker:
        while self._idle:
            worker = self._idle.pop()
            if not worker.has_ended:
                return worker
            self._end(worker)
        first, *rest = self._program.command
        try:
            return await _Worker.start(
                [self._found(first), *rest], self._program.folder, self._environ, self._notes
            )
        except OSError as error:
            what = _("{place} cannot be started: {why}", place=self._target, why=error.strerror or error)
            raise BadRequestError(self._target.sentence(what), self._how()) from None

    def _found(self, name: str) -> str:
        """The path of the command; for Python our own where the system has none of that name."""
        if "/" in name:
            path = self._program.folder / expanded(name)
            if not path.is_file():
                what = _("{place} cannot be started: there is no file {path}", place=self._target, path=path)
                raise BadRequestError(self._target.sentence(what), self._how())
            return str(path)
        found = shutil.which(name, path=self._environ.get("PATH"))
        if found is None and name in _PYTHONS:
            return sys.executable
        if found is None:
            what = _("{place} cannot be started: there is no command {name}", place=self._target, name=name)
            raise BadRequestError(self._target.sentence(what), self._how())
        return found

    def _how(self) -> str:
        return _("Check the command; it starts in {folder}.", folder=self._program.folder)

    def _end(self, worker: _Worker) -> None:
        """Kill a process, and let it be forgotten once it is gone."""
        worker.kill()
        task = asyncio.create_task(worker.aclose())
        self._ending.add(task)
        task.add_done_callback(self._ending.discard)

    def _end_in_words(self, end: _EndedError) -> str:
        if end.code > _SIGNALLED:
            number = end.code - _SIGNALLED
            with suppress(ValueError):
                name = signal.strsignal(number) or f"signal {number}"
                return _("{place} was killed ({name}) before it answered", place=self._target, name=name)
        return _("{place} ended with exit code {code} before it answered", place=self._target, code=end.code)
