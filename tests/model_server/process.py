"""The same server in a process of its own: for benchmarks, and for tests that kill the client."""

import subprocess
import sys
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.model_server.records import Recorded, read_log

_ROOT = Path(__file__).parents[2]


class ModelServerProcess:
    """Runs `python -m tests.model_server`; the requests are read back from its log.

    Args:
        log: The file for its log, or None for none.
        arguments: More of its arguments, such as `--delay 0.2`.
    """

    def __init__(self, log: Path | None, *arguments: str) -> None:
        self.base_url = ""
        self._log = log
        self._command = [sys.executable, "-m", "tests.model_server", *arguments]
        self._command += [] if log is None else ["--log", str(log)]

    @property
    def requests(self) -> list[Recorded]:
        assert self._log is not None
        return read_log(self._log)

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(self._command, cwd=_ROOT, stdout=subprocess.PIPE, text=True)
        assert self._process.stdout is not None
        self.base_url = self._process.stdout.readline().strip()
        if not self.base_url:
            self.stop()
            raise RuntimeError("the model server did not start")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def stop(self) -> None:
        """End the process; safe to call twice."""
        assert self._process.stdout is not None
        self._process.terminate()
        self._process.wait()
        self._process.stdout.close()
