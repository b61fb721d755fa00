"""The server: lets browsers in, keeps a visit for each, and ends them with itself."""

import asyncio
import contextlib
import json
import os
import signal
import socket
import tempfile
import time
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import IO, Final
from urllib.parse import unquote

from aiohttp import WSMsgType, web

from spotui.domain.errors import SpotuiError
from spotui.lang import _, ngettext
from spotui.serve.access import Access
from spotui.serve.page import HEADERS, LARGEST_UPLOAD, Assets, page
from spotui.serve.visit import Visit

MOST_VISITS: Final = 8
"""Browsers at once; the app of each takes some 80 MB."""
KEEP_SECONDS: Final = 600.0
"""How long an app waits for its browser to return."""
_LOOK_SECONDS: Final = 2.0
_HEARTBEAT_SECONDS: Final = 10.0
_REFUSAL_SECONDS: Final = 0.5
"""How long a wrong token takes, so that nobody tries many."""
_LARGEST_MESSAGE: Final = 8 * 1024 * 1024
_LARGEST_SIDE: Final = 1000


class Server:
    """Serves the app to browsers.

    Args:
        words: The command that starts the app of one browser.
        access: Who may come in.
        assets: The files of the page.
        is_read_only: Whether visitors can only look.
        errors: Where the apps' complaints go.
        say: Is given a sentence when a browser comes or goes; neither token nor cookie is in it.
    """

    def __init__(
        self,
        words: Sequence[str],
        access: Access,
        assets: Assets,
        *,
        is_read_only: bool,
        errors: IO[bytes],
        say: Callable[[str], None],
    ) -> None:
        self._words = words
        self._access = access
        self._assets = assets
        self._is_read_only = is_read_only
        self._errors = errors
        self._say = say
        self._visits: dict[str, Visit] = {}

    def application(self) -> web.Application:
        """What answers requests."""
        app = web.Application(middlewares=[self._guard], client_max_size=LARGEST_UPLOAD)
        app.on_response_prepare.append(self._add_headers)
        app.on_shutdown.append(self._end_all)
        app.router.add_get("/", self._page)
        app.router.add_get("/session", self._check)
        app.router.add_post("/session", self._sign_in)
        app.router.add_get("/line", self._line)
        app.router.add_post("/upload", self._upload)
        for name in self._assets.files:
            app.router.add_get(f"/{name}", self._asset)
        return app

    async def watch(self) -> None:
        """End the visits whose browser has been away for too long, again and again."""
        while True:
            await asyncio.sleep(_LOOK_SECONDS)
            await self._tidy(time.monotonic() - KEEP_SECONDS)

    async def _tidy(self, since: float) -> None:
        for visit in list(self._visits.values()):
            if visit.has_ended or (visit.left_at is not None and visit.left_at < since):
                self._visits.pop(visit.key, None)
                await visit.end()

    async def _end_all(self, _app: web.Application) -> None:
        visits = list(self._visits.values())
        self._visits.clear()
        await asyncio.gather(*(visit.end() for visit in visits))

    @web.middleware
    async def _guard(
        self, request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        """Refuse names of other hosts, and pages of others."""
        host = request.headers.get("Host", "")
        if not self._access.serves(host):
            return _refusal(
                _("This server is not {host}.", host=_quoted(host)),
                _("Use the address that 'spotui serve' printed; behind a proxy, start it with --public-url."),
            )
        needs_own_page = request.method != "GET" or request.path == "/line"
        if needs_own_page and not self._access.is_own_page(request.headers.get("Origin", ""), host):
            return _refusal(_("Only the page of this server may do that."), "")
        if request.path in {"/line", "/upload"} and not self._knows(request):
            return _refusal(_("You are not signed in."), _("Open the address that 'spotui serve' printed."))
        return await handler(request)

    async def _add_headers(self, request: web.Request, response: web.StreamResponse) -> None:
        host = request.headers.get("Host", "")
        sockets = f" ws://{host} wss://{host}" if self._access.serves(host) else ""
        for name, value in HEADERS.items():
            response.headers[name] = value.replace("{sockets}", sockets)
        response.headers.setdefault("Cache-Control", "no-store")

    def _knows(self, request: web.Request) -> bool:
        return self._access.knows_cookie(request.cookies.get(self._access.cookie_name, ""))

    async def _page(self, _request: web.Request) -> web.Response:
        return web.Response(text=page(is_read_only=self._is_read_only), content_type="text/html")

    async def _asset(self, request: web.Request) -> web.FileResponse:
        path = self._assets.files[request.path.removeprefix("/")]
        return web.FileResponse(path, headers={"Cache-Control": "no-cache"})

    async def _check(self, request: web.Request) -> web.Response:
        """Tell a page whether its cookie is known, and whether there is room for it."""
        if not self._knows(request):
            return _refusal(_("You are not signed in."), _("Open the address that 'spotui serve' printed."))
        if not self._has_room():
            return web.Response(status=503, text=_full())
        return web.Response(status=204)

    async def _sign_in(self, request: web.Request) -> web.Response:
        """Exchange the token for a cookie."""
        kind, _space, token = request.headers.get("Authorization", "").partition(" ")
        if kind != "Bearer" or not self._access.knows_token(token.strip()):
            await asyncio.sleep(_REFUSAL_SECONDS)
            return _refusal(
                _("The token is wrong."),
                _("Open the address that 'spotui serve' printed; a new start has a new token."),
            )
        response = web.Response(status=204)
        response.set_cookie(
            self._access.cookie_name,
            self._access.cookie,
            path="/",
            httponly=True,
            samesite="Strict",
            secure=self._access.is_secure,
        )
        return response

    async def _line(self, request: web.Request) -> web.StreamResponse:
        """Connect a browser with its app: the one it had, or a new one."""
        width, height = _side(request.query.get("width"), 80), _side(request.query.get("height"), 24)
        connection = web.WebSocketResponse(heartbeat=_HEARTBEAT_SECONDS, max_msg_size=_LARGEST_MESSAGE)
        visit = self._visits.get(request.query.get("visit", ""))
        if visit is None or visit.has_ended:
            if not await self._make_room():
                return web.Response(status=503, text=_full())
            visit = Visit(self._words, self._errors)
            self._visits[visit.key] = visit
            await visit.start(width, height)
        await connection.prepare(request)
        await connection.send_str(json.dumps(["visit", visit.key]))
        await visit.attach(connection, width, height)
        self._say(self._count(_("A browser has connected.")))
        try:
            await _listen(connection, visit)
        finally:
            visit.detach(connection)
            if visit.has_ended:
                self._visits.pop(visit.key, None)
            self._say(self._count(_("A browser has left.")))
        return connection

    def _count(self, what: str) -> str:
        shown = sum(visit.left_at is None for visit in self._visits.values())
        return what + " " + ngettext("{n} is connected.", "{n} are connected.", shown)

    def _has_room(self) -> bool:
        is_away = any(visit.left_at is not None or visit.has_ended for visit in self._visits.values())
        return len(self._visits) < MOST_VISITS or is_away

    async def _make_room(self) -> bool:
        """Whether another visit can begin; the one that has been away for longest ends for it."""
        if len(self._visits) < MOST_VISITS:
            return True
        away = [(visit.left_at, visit) for visit in self._visits.values() if visit.left_at is not None]
        if not away:
            return False
        _left_at, visit = min(away, key=lambda one: one[0])
        self._visits.pop(visit.key, None)
        await visit.end()
        return True

    async def _upload(self, request: web.Request) -> web.Response:
        """Give a file from the browser to its app."""
        visit = self._visits.get(request.headers.get("X-Visit", ""))
        if self._is_read_only:
            return _refusal(_("This is a read-only visit."), _("Nothing can be saved here."))
        if visit is None or visit.has_ended:
            return web.Response(status=404, text=_("The app of this page has ended. Load the page again."))
        try:
            content = await request.read()
        except web.HTTPRequestEntityTooLarge:
            return web.Response(status=413, text=_("The file is too large to be a template."))
        path = await asyncio.to_thread(_temporary, content)
        await visit.hand_over(unquote(request.headers.get("X-Name", "")), path)
        return web.Response(status=204)


async def _listen(connection: web.WebSocketResponse, visit: Visit) -> None:
    """Hand over what a browser sends until it is gone; what is not understood is left out."""
    async for message in connection:
        if message.type != WSMsgType.TEXT:
            continue
        try:
            kind, *rest = json.loads(message.data)
        except (ValueError, TypeError):
            continue
        data = rest[0] if rest else None
        match kind, data:
            case "stdin", str():
                await visit.type(data)
            case "resize", {"width": width, "height": height}:
                size = {"width": _side(width, 80), "height": _side(height, 24)}
                await visit.tell({"type": "resize", **size})
            case "ping", str():
                with contextlib.suppress(ConnectionError):
                    await connection.send_json(["pong", data])


def _side(given: object, usual: int) -> int:
    """Cells of one side of a screen, from whatever came."""
    try:
        cells = int(given) if isinstance(given, str | int) else usual
    except ValueError:
        return usual
    return min(max(cells, 1), _LARGEST_SIDE)


def _full() -> str:
    return ngettext(
        "{n} browser is connected already. Close one, and try again.",
        "{n} browsers are connected already. Close one, and try again.",
        MOST_VISITS,
    )


def _refusal(what: str, hint: str) -> web.Response:
    return web.Response(status=403, text=f"{what} {hint}".strip())


def _quoted(host: str) -> str:
    from spotui.domain.text import visible

    return visible(host[:80])


def listening_socket(host: str, port: int) -> socket.socket:
    """A socket that listens.

    Args:
        host: The address.
        port: The port; 0 for any free one.

    Raises:
        SpotuiError: The address is not one of this machine's, or the port is in use or not allowed.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family)
    except OSError as error:
        raise SpotuiError(
            _(
                "{host}:{port} cannot be used: {strerror}.",
                host=host,
                port=port,
                strerror=error.strerror or error,
            ),
            _("Choose another port with --port; 0 takes any that is free."),
        ) from None


async def serve(server: Server, listener: socket.socket) -> None:
    """Serve until Ctrl+C or a signal to end; the apps of all browsers end then, runs do not."""
    runner = web.AppRunner(server.application(), access_log=None, shutdown_timeout=2.0)
    await runner.setup()
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, stop.set)
    watching = asyncio.create_task(server.watch())
    try:
        await web.SockSite(runner, listener).start()
        await stop.wait()
    finally:
        watching.cancel()
        await runner.cleanup()


def _temporary(content: bytes) -> Path:
    """A file that only this user can read."""
    handle, path = tempfile.mkstemp(prefix="spotui-upload-")
    with os.fdopen(handle, "wb") as file:
        file.write(content)
    return Path(path)


def private_file(path: Path, text: str) -> None:
    """Write a file that only this user can read, in place of an older one.

    Raises:
        OSError: It cannot be written.
    """
    path.unlink(missing_ok=True)
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(text)
