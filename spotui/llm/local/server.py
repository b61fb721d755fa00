"""A local model's server: a child process with llama.cpp inside, on a loopback port nobody else can use."""

import asyncio
import importlib.util
import json
import os
import re
import secrets
from collections.abc import Sequence
from contextlib import suppress
from itertools import groupby
from pathlib import Path
from typing import IO, TYPE_CHECKING, Final

import msgspec

from spotui.domain.secret import Secret
from spotui.lang import _, join
from spotui.llm.local.files import ServerError
from spotui.llm.local.processes import Child
from spotui.llm.local.serve import SETTINGS
from spotui.llm.providers.faults.http_errors import fault_error
from spotui.llm.providers.faults.server_fault import read_fault
from spotui.settings.locations import open_log

if TYPE_CHECKING:
    from spotui.llm.providers.http import HttpPool


def usable_cores() -> int:
    """Physical cores this process may use: two threads on one core only get in each other's way.

    Returns:
        At least 1; never more than a container's CPU quota.
    """
    if hasattr(os, "sched_getaffinity"):
        cpus = os.sched_getaffinity(0)
        cores = len({_siblings(cpu) for cpu in cpus})
    else:
        cores = os.cpu_count() or 1
    return max(1, min(cores, _quota(Path("/sys/fs/cgroup/cpu.max"))))


def _siblings(cpu: int) -> str:
    with suppress(OSError):
        topology = Path(f"/sys/devices/system/cpu/cpu{cpu}/topology")
        return (topology / "thread_siblings_list").read_text()
    return str(cpu)


def _quota(limits: Path) -> int:
    """Whole cores of a cgroup's quota, or a large number without one."""
    with suppress(OSError, ValueError):
        quota, period = map(float, limits.read_text().split())
        return max(1, int(quota / period))
    return 1024


_SERVE = Path(__file__).with_name("serve.py")
_KILLED = -9
_TAIL_BYTES = 4_000
_TAIL_LINES = 5


class LocalServer:
    """The server of one GGUF file.

    It ends with this process, however that ends.

    Args:
        model: The file.
        log: Where the runtime's own messages go; begun anew at every start.
        slots: Calls it answers at once, at least 1.
        context: Tokens of context that all slots share; one call alone may use them all, up to what the
            model was trained for.
        ready_seconds: How long loading may take.
        embeds: Whether it is asked for embeddings, of texts of at most 2,048 tokens.
    """

    def __init__(
        self,
        model: Path,
        log: Path,
        *,
        slots: int = 4,
        context: int = 16_384,
        ready_seconds: float = 120.0,
        embeds: bool = False,
    ) -> None:
        self._model = model
        self._log = log
        self._slots = slots
        self._context = context
        self._ready_seconds = ready_seconds
        self._embeds = embeds
        self._key = Secret(secrets.token_urlsafe(32))
        self._address = ""
        self._child: Child | None = None
        self._death: ServerError | None = None

    @property
    def address(self) -> str:
        """Where it listens, such as `http://127.0.0.1:40001`; empty before it is ready."""
        return self._address

    @property
    def api_key(self) -> Secret:
        """The key it asks for, random and never on disk."""
        return self._key

    @property
    def pid(self) -> int | None:
        """The child's process id, or None when there is none."""
        return self._child.pid if self._child and self._child.exit_code is None else None

    async def start(self) -> None:
        """Start it and wait until the model is loaded.

        Raises:
            ServerError: The runtime is missing, cannot load the model, or takes too long.
        """
        if importlib.util.find_spec("xllamacpp") is None:
            raise ServerError(
                _("The runtime of local models, xllamacpp, is not in this Python environment."),
                _("Install it with: pip install xllamacpp"),
            )
        with self._open_log() as log:
            self._child = await Child.start(_SERVE, env=self._environment(), stderr=log)
        try:
            async with asyncio.timeout(self._ready_seconds):
                self._address = await self._ready(self._child)
        except TimeoutError:
            await self.stop()
            raise ServerError(
                _(
                    "The local model {model} was not loaded within {ready_seconds:g} seconds.",
                    model=self._model,
                    ready_seconds=self._ready_seconds,
                ),
                _("Try again when the machine is less busy, or use a smaller model."),
                transient=True,
            ) from None
        except BaseException:
            await self.stop()
            raise

    async def ended(self, within: float) -> ServerError | None:
        """Whether the server has died, giving it a moment: a broken connection is seen before the death.

        Args:
            within: Seconds to wait for its end.

        Returns:
            What to tell the user, or None when it lives.
        """
        if self._child is not None and self._death is None:
            with suppress(TimeoutError):
                async with asyncio.timeout(within):
                    self._death = self._died(await self._child.wait(), is_loading=False)
        return self._death

    async def stop(self) -> None:
        """End it; safe to call twice."""
        child, self._child = self._child, None
        self._address = ""
        if child is not None:
            await child.end()

    async def _ready(self, child: Child) -> str:
        address = (await child.output.readline()).decode().strip()
        if not address:
            raise self._died(await child.wait(), is_loading=True)
        return address

    def _open_log(self) -> IO[bytes]:
        try:
            return open_log(self._log, "wb")
        except OSError as error:
            raise ServerError(
                _(
                    "The log of the local model cannot be written: {log}: {strerror}.",
                    log=self._log,
                    strerror=error.strerror,
                ),
                _("Check the folder's permissions."),
            ) from error

    def _environment(self) -> dict[str, str]:
        settings = {
            "model": str(self._model),
            "slots": self._slots,
            "context": self._context,
            "threads": usable_cores(),
            "embeds": self._embeds,
            "api_key": self._key.reveal(),
        }
        return {**os.environ, SETTINGS: json.dumps(settings)}

    def _died(self, code: int, *, is_loading: bool) -> ServerError:
        tail = self._key.redact(_tail(self._log))
        said = _("It said last: {tail}", tail=tail) if tail else ""
        if code == _KILLED:
            what = (
                _("The local model's server was killed while it loaded the model.")
                if is_loading
                else _("The local model's server was killed during a call.")
            )
            hint = _("If the machine ran out of memory, use a smaller model; otherwise try again.")
            return ServerError(join(what, said), hint, transient=True)
        if "libgomp" in tail:
            what = _("The local model's server cannot start: it needs the system library libgomp.")
            hint = _("Install it with the system's package manager; Debian and Ubuntu call it libgomp1.")
            return ServerError(join(what, said), hint)
        what = (
            _("The local model's server ended while it loaded the model (exit code {code}).", code=code)
            if is_loading
            else _("The local model's server ended during a call (exit code {code}).", code=code)
        )
        hint = _("Is the file a GGUF model that llama.cpp knows? The whole log is in {log}", log=self._log)
        return ServerError(join(what, said), hint)


def _tail(log: Path) -> str:
    """The last words of a log, on one line."""
    try:
        text = log.read_bytes()[-_TAIL_BYTES:].decode(errors="replace")
    except OSError:
        return ""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return " / ".join(lines[-_TAIL_LINES:])


_RULE: Final = "root ::= "

# Everything that could end the literal, or that a line-based reader would break at, as its code point.
_UNSAFE = re.compile(r'["\\\x00-\x1f\x7f-\x9f\u2028\u2029\ufeff]')
_ESCAPE = re.compile(r"\\U([0-9A-F]{8})")


def literal_grammar(text: str) -> str:
    """A GBNF grammar that allows this text and nothing else.

    Args:
        text: What must be written; lone surrogates become U+FFFD, as no reply can hold one.
    """
    return _RULE + literal(text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace"))


def literal(text: str) -> str:
    """A text as it stands in a grammar, in quotes."""
    safe = _UNSAFE.sub(lambda found: f"\\U{ord(found[0]):08X}", text)
    return f'"{safe}"'


def literal_text(grammar: str) -> str | None:
    """The text of a grammar that `literal_grammar` made, or None for any other grammar."""
    body = grammar.removeprefix(_RULE)[1:-1]
    text = _ESCAPE.sub(lambda found: chr(int(found[1], 16)), body)
    return text if literal_grammar(text) == grammar else None


class _Token(msgspec.Struct, frozen=True):
    """A token of the server's; its piece is a list of bytes when it is not whole characters."""

    id: int
    piece: str | list[int]

    @property
    def is_whole(self) -> bool:
        return isinstance(self.piece, str)

    @property
    def bytes(self) -> bytes:
        return self.piece.encode() if isinstance(self.piece, str) else bytes(self.piece)


class _Tokens(msgspec.Struct, frozen=True):
    tokens: list[_Token]


async def token_grammar(root: "HttpPool", text: str) -> str | None:
    """A GBNF grammar that allows only this text, split into tokens as the model would split it.

    A grammar of characters leaves the split to the model: it then takes the most likely token that fits,
    which for an answer the model finds unlikely is often a single letter, and the log-probabilities are those
    of an odd spelling rather than of the answer.

    Args:
        root: Reaches the server's root.
        text: What must be written.

    Returns:
        The grammar, or None when the model's tokens do not spell the text exactly.

    Raises:
        ModelError: The server cannot be reached or refuses.
    """
    if not text:
        return None
    question = {"content": text, "add_special": False, "parse_special": False, "with_pieces": True}
    async with root.send("POST", "/tokenize", msgspec.json.encode(question)) as response:
        body = await response.aread()
        if not response.is_success:
            raise fault_error(root.target, read_fault(response.status_code, response.headers, body))
    tokens = msgspec.json.decode(body, type=_Tokens).tokens
    if b"".join(token.bytes for token in tokens) != text.encode():
        return None
    parts = [_part(whole, list(run)) for whole, run in groupby(tokens, lambda token: token.is_whole)]
    return None if None in parts else "root ::= " + " ".join(filter(None, parts))


def _part(whole: bool, run: Sequence[_Token]) -> str | None:
    """A run of tokens in the grammar.

    The runtime fails at a token that is a piece of a character, so those stand there as the characters that
    they make up together: an emoji, say. Between bytes of one character there is no other split to prefer.
    """
    if whole:
        return " ".join(f"<[{token.id}]>" for token in run)
    try:
        return literal(b"".join(token.bytes for token in run).decode())
    except UnicodeDecodeError:
        return None
