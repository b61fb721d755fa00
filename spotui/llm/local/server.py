"""A local model's server: a child process with llama.cpp inside, on a loopback port nobody else can use."""

import asyncio
import importlib.util
import json
import os
import secrets
from contextlib import suppress
from pathlib import Path
from typing import IO

from spotui.llm.local.cores import usable_cores
from spotui.llm.local.errors import ServerError
from spotui.llm.local.processes import Child
from spotui.llm.local.serve import SETTINGS
from spotui.locations import open_log
from spotui.secret import Secret

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
                "The runtime of local models, xllamacpp, is not in this Python environment.",
                "Install it with: pip install xllamacpp",
            )
        with self._open_log() as log:
            self._child = await Child.start(_SERVE, env=self._environment(), stderr=log)
        try:
            async with asyncio.timeout(self._ready_seconds):
                self._address = await self._ready(self._child)
        except TimeoutError:
            await self.stop()
            raise ServerError(
                f"The local model {self._model} was not loaded within {self._ready_seconds:g} seconds.",
                "Try again when the machine is less busy, or use a smaller model.",
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
                    self._death = self._died(await self._child.wait(), "during a call")
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
            raise self._died(await child.wait(), "while it loaded the model")
        return address

    def _open_log(self) -> IO[bytes]:
        try:
            return open_log(self._log, "wb")
        except OSError as error:
            raise ServerError(
                f"The log of the local model cannot be written: {self._log}: {error.strerror}.",
                "Check the folder's permissions.",
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

    def _died(self, code: int, when: str) -> ServerError:
        tail = self._key.redact(_tail(self._log))
        said = f" It said last: {tail}" if tail else ""
        if code == _KILLED:
            return ServerError(
                f"The local model's server was killed {when}.{said}",
                "If the machine ran out of memory, use a smaller model; otherwise try again.",
                transient=True,
            )
        if "libgomp" in tail:
            return ServerError(
                f"The local model's server cannot start: it needs the system library libgomp.{said}",
                "Install it with the system's package manager; Debian and Ubuntu call it libgomp1.",
            )
        return ServerError(
            f"The local model's server ended {when} (exit code {code}).{said}",
            f"Is the file a GGUF model that llama.cpp knows? The whole log is in {self._log}",
        )


def _tail(log: Path) -> str:
    """The last words of a log, on one line."""
    try:
        text = log.read_bytes()[-_TAIL_BYTES:].decode(errors="replace")
    except OSError:
        return ""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return " / ".join(lines[-_TAIL_LINES:])
