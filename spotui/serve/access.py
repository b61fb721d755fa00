"""Who may come in: a token, the cookie that stands for it, and pages of this server alone.

The token is in the fragment of the address, which a browser sends to nobody. The page exchanges it for a
cookie, which scripts cannot read and which no other site can let a browser send.
"""

import hmac
import ipaddress
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from spotui.domain.errors import SpotuiError
from spotui.lang import _, ngettext

TOKEN_VARIABLE: Final = "SPOTUI_SERVE_TOKEN"  # noqa: S105 - the name of a variable
SHORTEST_TOKEN: Final = 16
_LOCAL_NAMES: Final = ("localhost", "127.0.0.1", "[::1]")


def new_token() -> str:
    """A token that cannot be guessed: 256 bits, in characters that an address can have."""
    return secrets.token_urlsafe(32)


def given_token(file: Path | None, environ: Mapping[str, str]) -> str:
    """The token of a file or of the environment; empty when none was given.

    Args:
        file: Holds nothing but the token; None for none.
        environ: May have the token in SPOTUI_SERVE_TOKEN.

    Raises:
        SpotuiError: The file cannot be read, or the token is too short or not printable ASCII.
    """
    where, token = TOKEN_VARIABLE, environ.get(TOKEN_VARIABLE, "")
    if file is not None:
        where = str(file)
        try:
            token = file.read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            why = error.strerror if isinstance(error, OSError) else _("it is not text")
            raise SpotuiError(
                _("The token in {where} cannot be read: {why}.", where=where, why=why),
                _("Leave --token-file out, and a random token is made."),
            ) from None
    elif TOKEN_VARIABLE not in environ:
        return ""
    if len(token) < SHORTEST_TOKEN or not (token.isascii() and token.isprintable()) or " " in token:
        raise SpotuiError(
            _("The token of {where} cannot be used.", where=where),
            ngettext(
                "A token has at least {n} character, without spaces.",
                "A token has at least {n} characters: letters, digits and signs of ASCII, without spaces.",
                SHORTEST_TOKEN,
            ),
        )
    return token


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach an address."""
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost"


class Access:
    """What a request has to show.

    Args:
        token: The token.
        host: The address that the server listens on.
        port: Its port.
        public_url: Where browsers find it behind a proxy; empty for none.

    Attributes:
        cookie_name: The name of the cookie; cookies know no ports, so it has the port in it.
        is_secure: Whether the cookie is to be sent over HTTPS alone.
    """

    def __init__(self, token: str, host: str, port: int, public_url: str = "") -> None:
        self._token = token.encode()
        self._cookie = hmac.digest(self._token, b"spotui serve", "sha256").hex()
        self._is_open = not is_loopback(host)
        self._port = port
        names = {*_LOCAL_NAMES, f"[{host}]" if ":" in host else host}
        self._hosts = {f"{name}:{port}".casefold() for name in names} | ({*names} if port == 80 else set())
        self.cookie_name = f"spotui-{port}"
        public = urlsplit(public_url)
        self.is_secure = public.scheme == "https"
        if public.netloc:
            self._hosts.add(public.netloc.casefold())

    @property
    def cookie(self) -> str:
        """The value of the cookie; the token cannot be found from it."""
        return self._cookie

    def knows_token(self, given: str) -> bool:
        """Whether it is the token; how long this takes says nothing about it."""
        return hmac.compare_digest(given.encode("utf-8", "replace"), self._token)

    def knows_cookie(self, given: str) -> bool:
        """Whether it is the cookie; how long this takes says nothing about it."""
        return hmac.compare_digest(given.encode("utf-8", "replace"), self._cookie.encode())

    def serves(self, host: str) -> bool:
        """Whether a Host header names this server, so that no name of somebody else leads here.

        Where other machines can reach it, any IP address with its port does.
        """
        host = host.casefold()
        if host in self._hosts:
            return True
        name, _colon, port = host.rpartition(":")
        return self._is_open and port == str(self._port) and _is_ip_address(name.strip("[]"))

    def is_own_page(self, origin: str, host: str) -> bool:
        """Whether an Origin header is that of a page which came from the host that was asked.

        Args:
            origin: The header; empty where there was none.
            host: The Host header of the same request.
        """
        parts = urlsplit(origin)
        return parts.scheme in ("http", "https") and bool(host) and parts.netloc.casefold() == host.casefold()


def _is_ip_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True
