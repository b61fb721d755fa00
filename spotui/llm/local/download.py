"""Downloads one file over HTTP into a partial file, and resumes where an earlier try stopped."""

import asyncio
import hashlib
import re
from collections.abc import Callable, Iterator
from contextlib import AsyncExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

import msgspec

from spotui.domain.secret import Secret
from spotui.lang import N_, _, join
from spotui.llm.local.files import PullError, require_room
from spotui.settings.locations import make_private

if TYPE_CHECKING:
    from aiohttp import ClientResponse

    from spotui.llm.providers.http_bodies import BodyPieces


GGUF_MAGIC: Final = b"GGUF"
_SILENCE_SECONDS = 60.0
_LEAST_SECONDS = 1.5
_TRIES = 3
_PARTIAL = 206
_UNSATISFIABLE = 416
_AGAIN = N_("Run the same command again: it continues from here.")
_CHECK = N_("Check the connection and the proxy.")
_SHA256 = re.compile(r'(?:W/)?"?([0-9a-f]{64})"?')
_CONTENT_RANGE = re.compile(r"bytes (\d+)-\d+/(\d+|\*)")


class SourceError(PullError):
    """This source cannot be reached, or does not have the file; another one may."""


class _BrokenOffError(PullError):
    """The server stopped in the middle of the file."""


class _State(msgspec.Struct, frozen=True):
    """The address of a partial file, hashed since it may hold keys, and the server's mark of its version."""

    address: str
    validator: str


class RemoteFile(msgspec.Struct, frozen=True):
    """A GGUF file on a web server.

    Attributes:
        url: Its address, http or https.
        token: Sent to the server of that address, and to no other that it redirects to.
        bytes: The size that the file must have, or None when it is unknown.
        sha256: The digest that the file must have, or None when it is unknown.
        answer_seconds: How long the first bytes may take.
    """

    url: str
    token: str = ""
    bytes: int | None = None
    sha256: str | None = None
    answer_seconds: float = _SILENCE_SECONDS


OnBytes = Callable[[int, int | None], None]


async def download_file(remote: RemoteFile, target: Path, on_bytes: OnBytes) -> str | None:
    """Download a file. A transfer that breaks off is continued at once, while that brings new bytes.

    Args:
        remote: Which file.
        target: The partial file; kept when the download fails, so that the next call resumes it.
        on_bytes: Called with the bytes here so far and in all, None while the server does not say.

    Returns:
        The sha256 that the file must have: `remote.sha256`, or the one that the server promises, as model
        hubs do; None when there is neither. Whether the file has it is not checked yet.

    Raises:
        SourceError: Nothing came: the server cannot be reached, refuses, or has a different file.
        PullError: The transfer broke off and could not be continued, or there is no room.
        OSError: The partial file cannot be written.
    """
    most, tries, has_begun = -1, 0, False
    while True:
        try:
            return await _transfer(remote, target, on_bytes)
        except (SourceError, _BrokenOffError) as error:
            has_begun = has_begun or isinstance(error, _BrokenOffError)
            if not has_begun:
                raise
            here = target.stat().st_size
            tries = 0 if here > most else tries + 1
            most = max(most, here)
            if tries == _TRIES:
                raise PullError(error.what, _(_AGAIN)) from error
            await asyncio.sleep(tries)


async def _transfer(remote: RemoteFile, target: Path, on_bytes: OnBytes) -> str | None:
    """Download what is missing, in one try."""
    now = asyncio.get_running_loop().time
    deadline = now() + remote.answer_seconds
    import aiohttp

    from spotui.llm.providers.http import trusting_context
    from spotui.llm.providers.http_bodies import BodyPieces

    # The imports above count, but a slow machine leaves the server its time.
    deadline = max(deadline, now() + min(_LEAST_SECONDS, remote.answer_seconds))
    shown = public_url(remote.url)
    state_file = target.with_suffix(".json")
    make_private(target.parent)
    here, headers = _resume(target, state_file, remote)
    if remote.token:
        headers["Authorization"] = f"Bearer {remote.token}"
    async with AsyncExitStack() as exchange:
        session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(ssl=trusting_context()),
            headers={"User-Agent": "spotui", "Accept-Encoding": "identity"},
            timeout=aiohttp.ClientTimeout(total=None, connect=_SILENCE_SECONDS, sock_read=_SILENCE_SECONDS),
            trust_env=True,
        )
        await exchange.enter_async_context(session)
        with _failures(remote, SourceError):
            async with asyncio.timeout_at(deadline):
                response = await exchange.enter_async_context(session.get(remote.url, headers=headers))
                promised = _promised_sha256([*response.history, response])
                if response.status == _UNSATISFIABLE and here:
                    if response.headers.get("content-range") == f"bytes */{here}":
                        return remote.sha256 or promised  # The last try was stopped after the last byte.
                    state_file.unlink()
                    raise _BrokenOffError(
                        _("{url} is shorter than what is here of it.", url=shown), _(_AGAIN)
                    )
                here, total = _span(remote, response, here, promised)
                pieces = BodyPieces(response, _SILENCE_SECONDS)
                piece = await (anext(pieces, b"") if here else _first_piece(pieces, shown))
        require_room(target.parent, (total or here) - here)
        state_file.write_bytes(msgspec.json.encode(_State(_digest(remote.url), _validator(response))))
        on_bytes(here, total)
        with target.open("r+b" if here else "wb") as file, _failures(remote, _BrokenOffError):
            file.seek(here)
            file.truncate()
            while piece:
                await asyncio.to_thread(file.write, piece)
                here += len(piece)
                on_bytes(here, total)
                if total is not None and here > total:
                    raise SourceError(
                        _("{url} sent more than {total:,} bytes.", url=shown, total=total),
                        _("Check the address."),
                    )
                piece = await anext(pieces, b"")
    if total is not None and here != total:
        raise _BrokenOffError(
            _("{url} broke off after {here:,} of {total:,} bytes.", url=shown, here=here, total=total),
            _(_AGAIN),
        )
    return remote.sha256 or promised


@contextmanager
def _failures(remote: RemoteFile, kind: type[PullError]) -> Iterator[None]:
    """Turn what goes wrong on the way to the server into an error of one kind."""
    from aiohttp import InvalidURL, NonHttpUrlClientError

    from spotui.llm.protocol import ModelError
    from spotui.llm.providers.base_url import BaseUrl
    from spotui.llm.providers.faults.http_errors import Target, transport_errors

    shown = public_url(remote.url)
    host, name = "/".join(shown.split("/")[:3]), shown.rpartition("/")[2]
    try:
        address = BaseUrl(remote.url, name)
    except ModelError:
        raise kind(
            _("{url} is not an address to download from.", url=shown), _("Check the address.")
        ) from None
    try:
        place = Target(name, host, (*address.secrets, Secret(remote.token)), has_key=bool(remote.token))
        with transport_errors(place, _SILENCE_SECONDS, address.is_proxied):
            try:
                yield
            except (ValueError, IndexError, InvalidURL, NonHttpUrlClientError):
                # Its text may quote the password of a proxy.
                raise kind(
                    _("{url} is not an address to download from.", url=shown),
                    _("Check the URL, and the proxy in HTTP_PROXY and HTTPS_PROXY, if there is one."),
                ) from None
    except ModelError as error:
        raise kind(error.what, join(_(_CHECK), _(_AGAIN))) from error
    except TimeoutError as error:
        raise kind(
            _("{host} did not answer within {seconds:g} seconds.", host=host, seconds=remote.answer_seconds),
            join(_(_CHECK), _(_AGAIN)),
        ) from error


def public_url(url: str) -> str:
    """A URL without its login and query, which may hold keys."""
    rest = url.partition("?")[0].partition("#")[0]
    scheme, separator, place = rest.partition("://")
    host, slash, path = place.partition("/")
    return f"{scheme}{separator}{host.rpartition('@')[2]}{slash}{path}"


def _resume(target: Path, state_file: Path, remote: RemoteFile) -> tuple[int, dict[str, str]]:
    """The bytes that are here, and the headers that ask for the rest."""
    try:
        state = msgspec.json.decode(state_file.read_bytes(), type=_State)
        here = target.stat().st_size
    except (OSError, msgspec.MsgspecError):
        return 0, {}
    if state.address != _digest(remote.url) or not 0 < here <= (remote.bytes or here):
        return 0, {}
    asked = {"Range": f"bytes={here}-"}
    if remote.sha256:
        # The digest of the whole file proves more than a validator, which not every mirror sends.
        return here, asked
    return (here, {**asked, "If-Range": state.validator}) if state.validator else (0, {})


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _validator(response: "ClientResponse") -> str:
    tag: str = response.headers.get("etag", "")
    date: str = response.headers.get("last-modified", "")
    return tag if tag and not tag.startswith("W/") else date


def _span(
    remote: RemoteFile, response: "ClientResponse", asked_from: int, promised: str | None
) -> tuple[int, int | None]:
    """Where the body begins, and the size of the whole file; refuses what is not the file."""
    shown = public_url(remote.url)
    if not response.ok:
        raise _refusal(shown, response.status, has_token=bool(remote.token))
    length = response.headers.get("content-length", "")
    start, total = 0, int(length) if length.isdigit() else remote.bytes
    if response.status == _PARTIAL:
        found = _CONTENT_RANGE.fullmatch(response.headers.get("content-range", ""))
        if found is None or int(found[1]) != asked_from:
            raise SourceError(_("{url} sent a different range than requested.", url=shown), _(_AGAIN))
        start, total = asked_from, remote.bytes if found[2] == "*" else int(found[2])
    if remote.bytes not in (None, total):
        raise SourceError(
            _(
                "{url} has {total:,} bytes instead of {expected:,}.",
                url=shown,
                total=total,
                expected=remote.bytes,
            ),
            _("Check the address."),
        )
    if remote.sha256 and promised not in (None, remote.sha256):
        raise SourceError(
            _(
                "{url} has the sha256 {digest} instead of {expected}.",
                url=shown,
                digest=promised,
                expected=remote.sha256,
            ),
            _("Check the address."),
        )
    return start, total


async def _first_piece(pieces: "BodyPieces", shown: str) -> bytes:
    """Read until it is clear that the body is a model and not a page of a proxy or a sign-in form."""
    piece = b""
    async for more in pieces:
        piece += more
        if len(piece) >= len(GGUF_MAGIC):
            break
    if not piece.startswith(GGUF_MAGIC):
        raise SourceError(
            _("{name} is not a GGUF file.", name=shown), _("Open the address in a browser to see what it is.")
        )
    return piece


def _promised_sha256(responses: "list[ClientResponse]") -> str | None:
    tags = (response.headers.get("x-linked-etag", "") for response in responses)
    return next((found[1] for tag in tags if (found := _SHA256.fullmatch(tag))), None)


def _refusal(shown: str, status: int, *, has_token: bool) -> SourceError:
    match status:
        case 401 | 403:
            token = _("Check HF_TOKEN.") if has_token else _("Set HF_TOKEN if it is on Hugging Face.")
            return SourceError(
                _("{url} cannot be downloaded without permission (HTTP {status}).", url=shown, status=status),
                join(token, _("Or download it with a browser and run: spotui models pull PATH")),
            )
        case 404 | 410:
            return SourceError(
                _("{url} does not exist (HTTP {status}).", url=shown, status=status), _("Check the address.")
            )
        case _:
            return SourceError(
                _("{url} answered with HTTP {status}.", url=shown, status=status), _("Try again later.")
            )
