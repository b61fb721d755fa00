"""Which proxy the environment names for an address, and which hosts it exempts.

Python's own reading of NO_PROXY knows names alone. People write what curl, Go and Docker take, too: `*.x`,
`.x`, ports, addresses in brackets and networks such as `10.0.0.0/8`.
"""

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from yarl import URL

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
    name = host.casefold().rstrip(".")
    return any(_matches(entry, name, port) for entry in exempt.replace(",", " ").split())


def _matches(entry: str, host: str, port: int | None) -> bool:
    if entry == "*":
        return True
    if "/" in entry:
        return _in_network(entry, host)
    name, wanted = _split(entry.casefold())
    if wanted is not None and wanted != str(port):
        return False
    domain = name.removeprefix("*").lstrip(".").rstrip(".")
    return bool(domain) and (host == domain or host.endswith(f".{domain}") or _same_address(domain, host))


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


def _same_address(one: str, other: str) -> bool:
    from ipaddress import ip_address

    try:
        return ip_address(one) == ip_address(other)
    except ValueError:
        return False
