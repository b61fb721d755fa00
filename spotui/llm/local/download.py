"""Fetches one file over HTTP into a partial file, resumes where an earlier try stopped, and checks it."""

import asyncio
import errno
import hashlib
import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from spotui.domain.errors import SpotuiError
from spotui.settings.locations import make_private

if TYPE_CHECKING:
    from aiohttp import ClientResponse


class LocalModelError(SpotuiError):
    """A local model cannot be fetched, kept or served."""


class UnknownModelError(LocalModelError):
    """No local model goes by this name, or it has not been pulled yet."""


class PullError(LocalModelError):
    """A model could not be brought onto this machine; what was fetched is kept, unless it was wrong."""


class ServerError(LocalModelError):
    """The local model's server cannot be started, or has ended.

    Args:
        what: What happened.
        mend: What to do about it.
        transient: Whether another try may mend it.
    """

    def __init__(self, what: str, mend: str = "", *, transient: bool = False) -> None:
        super().__init__(what, mend)
        self.transient = transient


_STEP = 32 * 1024 * 1024
_BLOCK = 1024 * 1024


async def sha256_of(path: Path, on_bytes: Callable[[int], None] | None = None) -> str:
    """Hash a file in steps; a cancelled call leaves at most one short step running in its thread.

    Args:
        path: The file.
        on_bytes: Called with the bytes hashed so far, on the event loop.

    Returns:
        The hexadecimal digest.

    Raises:
        OSError: The file cannot be read.
    """
    digest = hashlib.sha256()
    offset = 0
    while step := await asyncio.to_thread(_add, path, offset, digest):
        offset += step
        if on_bytes is not None:
            on_bytes(offset)
    return digest.hexdigest()


def _add(path: Path, offset: int, digest: "hashlib._Hash") -> int:
    done = 0
    with path.open("rb") as file:
        file.seek(offset)
        while done < _STEP and (block := file.read(_BLOCK)):
            digest.update(block)
            done += len(block)
    return done


_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


def require_room(folder: Path, needed: int) -> None:
    """Check that a folder's disk has room.

    Args:
        folder: An existing folder.
        needed: Bytes that will be written.

    Raises:
        PullError: It has not.
    """
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise PullError(
            f"The disk of {folder} has {_megabytes(free)} free; the model takes {_megabytes(needed)}.",
            "Make room, or keep the models elsewhere with SPOTUI_MODELS_DIR.",
        )


@contextmanager
def disk_errors(folder: Path) -> Iterator[None]:
    """Turn the operating system's errors while writing below a folder into ones a person can act on.

    Raises:
        PullError: The disk is full, or a file or the folder cannot be used.
    """
    try:
        yield
    except OSError as error:
        if error.errno in _FULL:
            raise PullError(
                f"The disk of {folder} is full.",
                "Make room and run the same command again: it goes on from here.",
            ) from error
        place = error.filename or folder
        raise PullError(
            f"{place} cannot be used: {error.strerror or error}.", "Check its permissions."
        ) from error


def _megabytes(count: int) -> str:
    return f"{count / 1_000_000:,.0f} MB"


_SILENCE_SECONDS = 60.0
_PARTIAL = 206
_UNSATISFIABLE = 416
_AGAIN = "Run the same command again: it goes on from here."
_SHA256 = re.compile(r'(?:W/)?"?([0-9a-f]{64})"?')
_CONTENT_RANGE = re.compile(r"bytes (\d+)-\d+/(\d+|\*)")


class _State(msgspec.Struct, frozen=True):
    """What a partial file is a part of; a validator proves later that the server still has the same file."""

    url: str
    validator: str


async def download_file(url: str, target: Path, on_bytes: Callable[[int, int | None], None]) -> str | None:
    """Fetch a file.

    Args:
        url: Where it is, http or https.
        target: The partial file; kept when the transfer fails, so that the next call resumes it.
        on_bytes: Called with the bytes here so far and in all, None while the server does not say.

    Returns:
        The sha256 the server promises, as model hubs do in a header of theirs; None from others.

    Raises:
        PullError: The server cannot be reached, refuses, or broke off.
        OSError: The partial file cannot be written.
    """
    import aiohttp

    from spotui.llm.providers.http import trusting_context
    from spotui.llm.providers.http_bodies import BodyPieces

    shown = public_url(url)
    state_file = target.with_suffix(".json")
    make_private(target.parent)
    here, headers = _resume(target, state_file, url)
    try:
        async with (
            aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(ssl=trusting_context()),
                headers={"User-Agent": "spotui", "Accept-Encoding": "identity"},
                timeout=aiohttp.ClientTimeout(
                    total=None, connect=_SILENCE_SECONDS, sock_read=_SILENCE_SECONDS
                ),
                trust_env=True,
            ) as session,
            session.get(url, headers=headers) as response,
        ):
            if response.status == _UNSATISFIABLE and _whole(response, here):
                return _promised_sha256([*response.history, response])
            if not response.ok:
                raise _refusal(shown, response.status)
            here, total = _span(response, here)
            require_room(target.parent, (total or here) - here)
            state = _State(url, _validator(response))
            state_file.write_bytes(msgspec.json.encode(state))
            on_bytes(here, total)
            with target.open("r+b" if here else "wb") as file:
                file.seek(here)
                file.truncate()
                async for block in BodyPieces(response, _SILENCE_SECONDS):
                    await asyncio.to_thread(file.write, block)
                    here += len(block)
                    on_bytes(here, total)
            if total is not None and here != total:
                raise PullError(f"{shown} broke off after {here} of {total} bytes.", _AGAIN)
            return _promised_sha256([*response.history, response])
    except (ValueError, IndexError, aiohttp.NonHttpUrlClientError):
        # Its text may quote the password of a proxy.
        raise PullError(
            f"{shown} is no address to fetch from.",
            "Check the URL, and the proxy in HTTP_PROXY and HTTPS_PROXY, if there is one.",
        ) from None
    except aiohttp.ClientError as error:
        is_late = isinstance(error, aiohttp.ServerTimeoutError)
        why = "it was silent too long" if is_late else type(error).__name__
        raise PullError(f"{shown} could not be fetched: {why}.", f"Check the connection. {_AGAIN}") from error


def public_url(url: str) -> str:
    """A URL without its login and query, which may hold keys."""
    rest = url.partition("?")[0].partition("#")[0]
    scheme, separator, place = rest.partition("://")
    host, slash, path = place.partition("/")
    return f"{scheme}{separator}{host.rpartition('@')[2]}{slash}{path}"


def _resume(target: Path, state_file: Path, url: str) -> tuple[int, dict[str, str]]:
    try:
        state = msgspec.json.decode(state_file.read_bytes(), type=_State)
        here = target.stat().st_size
    except (OSError, msgspec.MsgspecError):
        return 0, {}
    if state.url != url or not state.validator or not here:
        return 0, {}
    return here, {"Range": f"bytes={here}-", "If-Range": state.validator}


def _validator(response: "ClientResponse") -> str:
    tag: str = response.headers.get("etag", "")
    date: str = response.headers.get("last-modified", "")
    return tag if tag and not tag.startswith("W/") else date


def _span(response: "ClientResponse", asked_from: int) -> tuple[int, int | None]:
    """Where the body begins, and the size of the whole file."""
    if response.status == _PARTIAL:
        found = _CONTENT_RANGE.fullmatch(response.headers.get("content-range", ""))
        if found is None or int(found[1]) != asked_from:
            raise PullError(f"{public_url(str(response.url))} sent another piece than was asked for.", _AGAIN)
        return asked_from, None if found[2] == "*" else int(found[2])
    length = response.headers.get("content-length", "")
    return 0, int(length) if length.isdigit() else None


def _whole(response: "ClientResponse", here: int) -> bool:
    """Whether nothing is left to fetch: an earlier try was stopped after its last byte."""
    return bool(here) and response.headers.get("content-range") == f"bytes */{here}"


def _promised_sha256(responses: "list[ClientResponse]") -> str | None:
    tags = (response.headers.get("x-linked-etag", "") for response in responses)
    return next((found[1] for tag in tags if (found := _SHA256.fullmatch(tag))), None)


def _refusal(shown: str, status: int) -> PullError:
    match status:
        case 401 | 403:
            return PullError(
                f"{shown} may not be fetched without an account (HTTP {status}).",
                "Fetch the file with a browser, then run: spotui models pull PATH",
            )
        case 404 | 410:
            return PullError(f"There is nothing at {shown} (HTTP {status}).", "Check the address.")
        case _:
            return PullError(f"{shown} answered with HTTP {status}.", "Try again later.")
