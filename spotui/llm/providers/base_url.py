"""The root of an OpenAI-compatible endpoint: checked before any request, shown without its secrets."""

import re
from typing import TYPE_CHECKING, Final

from spotui.domain.secret import Secret
from spotui.lang import _
from spotui.llm.protocol import BadRequestError
from spotui.llm.routing import root_path

if TYPE_CHECKING:
    from yarl import URL


_EXAMPLE = "an address such as http://localhost:8000/v1"
_SHORTEST_SECRET = 8
_NO_SECRETS = frozenset({"api-version", "api_version"})


class BaseUrl:
    """A checked base URL.

    Args:
        written: As the user wrote it; a trailing slash, or the path of an endpoint, is taken off.
        model: The model it is for, for the errors.

    Attributes:
        shown: The URL without user name, password, query and fragment.
        secrets: What must not be shown of it.
        authorization: What the login in it is sent as, or None when there is no login.
        is_loopback: Whether it is on this machine, where no proxy belongs between.

    Raises:
        BadRequestError: It is missing, or is no http or https URL.
    """

    def __init__(self, written: str | None, model: str) -> None:
        text = (written or "").strip()
        self.shown = _without_secrets(text)
        if not text:
            raise BadRequestError(_("No base URL is set for {model}.", model=model), f"Set {_EXAMPLE}.")
        if re.search(r"[\s\x00-\x1f\x7f]", text):
            raise BadRequestError(
                _("The base URL of {model} holds a space: {shown!r}.", model=model, shown=self.shown),
                _("Take it out."),
            )
        if not re.match(r"https?://[^/?#]", text, re.IGNORECASE):
            raise BadRequestError(
                _(
                    "The base URL of {model} is no http or https address: {shown!r}.",
                    model=model,
                    shown=self.shown,
                ),
                f"Write {_EXAMPLE}.",
            )
        url = _parsed(text)
        if url is None or not url.host or not _is_a_name(url.raw_host or ""):
            raise BadRequestError(
                _("The base URL of {model} cannot be read: {shown!r}.", model=model, shown=self.shown),
                _("Check its host and its port; it should be {example}.", example=_EXAMPLE),
            )
        self.authorization = _authorization(url)
        self._root = _with_path(url.with_user(None), root_path(url.raw_path))
        self.shown = str(self._root.with_query(None)).rstrip("/")
        named = (
            value
            for name, value in url.query.items()
            if len(value) >= _SHORTEST_SECRET and name not in _NO_SECRETS
        )
        hidden = (url.password or "", (self.authorization or "").removeprefix("Basic "), *named)
        self.secrets = tuple(map(Secret, hidden))
        self.is_loopback = _is_loopback(url.host)
        self.is_tls = url.scheme == "https"
        self._known: dict[str, URL] = {}

    def at(self, path: str) -> "URL":
        """The URL of a path below the root, without the login, its query kept.

        Args:
            path: Such as `/models`.
        """
        if path not in self._known:
            self._known[path] = _with_path(self._root, self._root.raw_path.rstrip("/") + path)
        return self._known[path]

    def proxy(self) -> "URL | None":
        """The proxy that the environment names for this URL.

        Raises:
            ValueError: It is no http or https proxy, or its login cannot be sent.
        """
        named = self._named_proxy()
        if named is None:
            return None
        url = _parsed(named if "://" in named else f"http://{named}")
        if url is None or url.scheme not in {"http", "https"} or not url.host:
            raise ValueError("no proxy")
        # What aiohttp can send of a login.
        f"{url.user}{url.password}".encode("latin-1")
        return url

    def is_proxied(self) -> bool:
        """Whether the environment names a proxy for this URL."""
        return self._named_proxy() is not None

    def _named_proxy(self) -> str | None:

        return None if self.is_loopback else proxy_for(self._root)


def _parsed(text: str) -> "URL | None":
    """The URL, or None when it is none; yarl's own words may quote a password."""
    from yarl import URL

    try:
        return URL(text)
    except (ValueError, IndexError):  # the second for brackets before an @
        return None


def _authorization(url: "URL") -> str | None:
    if url.user is None and url.password is None:
        return None
    from base64 import b64encode

    return "Basic " + b64encode(f"{url.user or ''}:{url.password or ''}".encode()).decode()


def _is_a_name(host: str) -> bool:
    """Whether the system will look for it: of any other, Python raises an error of encoding."""
    return all(0 < len(label) < 64 for label in host.removesuffix(".").split("."))


def _with_path(url: "URL", path: str) -> "URL":
    """The URL with another path, encoded already, its query kept."""
    from yarl import URL

    return URL.build(
        scheme=url.scheme,
        authority=url.raw_authority,
        path=path,
        query_string=url.raw_query_string,
        encoded=True,
    )


def _without_secrets(text: str) -> str:
    """A URL that may be broken anywhere: rather show too little than half a password."""
    return re.split(r"[?#]", re.sub(r"^(\w+://)?.*@", r"\1", text), maxsplit=1)[0]


def _is_loopback(host: str) -> bool:
    from ipaddress import ip_address

    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        address = ip_address(host)
    except ValueError:
        return False
    return address.is_loopback or address.is_unspecified


_EXEMPTING: Final = "no"


def proxy_for(url: "URL") -> str | None:
    """The proxy that the environment names for a URL, as it is written there; None when it names none."""
    from urllib.request import getproxies, proxy_bypass

    named, host = getproxies(), url.host or ""
    proxy = named.get(url.scheme) or named.get("all")
    # The second knows the exceptions in the settings of macOS and Windows, too.
    if not proxy or is_exempt(host, url.port, named.get(_EXEMPTING, "")) or proxy_bypass(host):
        return None
    return proxy


def is_exempt(host: str, port: int | None, exempt: str) -> bool:
    """Whether a list such as NO_PROXY holds a host.

    Args:
        host: A name or an address, without brackets.
        port: The port that is asked.
        exempt: Entries with commas or blanks between them.
    """
    name = _ascii(host.casefold().rstrip("."))
    return any(_matches(entry, name, port) for entry in exempt.replace(",", " ").split())


def _matches(entry: str, host: str, port: int | None) -> bool:
    if entry == "*":
        return True
    # Some are written as addresses, which is no network in spite of its slashes.
    is_address = "://" in entry or entry.endswith("/")
    entry = entry.partition("://")[2] or entry
    if "/" in entry and not is_address:
        return _in_network(entry, host)
    name, wanted = _split(entry.partition("/")[0].casefold())
    if wanted is not None and wanted != str(port):
        return False
    domain = _ascii(name.removeprefix("*").lstrip(".").rstrip("."))
    if "*" in domain:
        from fnmatch import fnmatchcase

        return fnmatchcase(host, domain)
    return bool(domain) and (host == domain or host.endswith(f".{domain}") or _same_address(domain, host))


def _ascii(name: str) -> str:
    """A name as it is looked up: one in another alphabet may be written in both ways."""
    if name.isascii():
        return name
    try:
        return name.encode("idna").decode()
    except UnicodeError:
        return name


def _split(entry: str) -> tuple[str, str | None]:
    """An entry's host and its port, if it has one; a bare IPv6 address has none."""
    if entry.startswith("["):
        host, _, rest = entry[1:].partition("]")
        return host, rest.removeprefix(":") or None
    host, colon, port = entry.rpartition(":")
    return (host, port) if colon and port.isdigit() and ":" not in host else (entry, None)


def _in_network(entry: str, host: str) -> bool:
    from ipaddress import ip_address, ip_network

    try:
        return ip_address(host) in ip_network(entry, strict=False)
    except ValueError:
        return False


def _same_address(first: str, second: str) -> bool:
    from ipaddress import ip_address

    try:
        return ip_address(first) == ip_address(second)
    except ValueError:
        return False
