"""spotui serve."""

import argparse
import os
import sys
from pathlib import Path
from urllib.parse import urlsplit

from spotui.cli import exit_codes, options
from spotui.cli.exit_codes import UsageError
from spotui.lang import _
from spotui.settings.locations import expanded

PORT = 8000


def add_serve_arguments(parser: argparse.ArgumentParser) -> None:
    """What `serve` takes."""
    options.add_workspace(parser)
    parser.add_argument(
        "--port",
        type=int,
        default=PORT,
        metavar="N",
        help=_("the port; 0 takes any that is free (default: {port})", port=PORT),
    )
    parser.add_argument(
        "--read-only",
        action="store_true",
        help=_("visitors can look; nothing can be started, steered, saved or deleted"),
    )
    parser.add_argument(
        "--token-file",
        metavar="FILE",
        help=_("a file with the token; also SPOTUI_SERVE_TOKEN (default: a random one at each start)"),
    )
    others = parser.add_argument_group(_("other machines (default: only this machine can connect)"))
    others.add_argument(
        "--host", default="127.0.0.1", metavar="ADDRESS", help=_("the address (default: 127.0.0.1)")
    )
    others.add_argument(
        "--expose",
        action="store_true",
        help=_(
            "allow an address that other machines can reach: whoever has the token can use spotui as you, "
            "spend money with your keys and run programs, and the connection is not encrypted"
        ),
    )
    others.add_argument(
        "--public-url",
        metavar="URL",
        default="",
        help=_("where browsers find a proxy in front of this server, e.g. https://prompts.example.org"),
    )


def serve_command(parsed: argparse.Namespace) -> int:
    """Serve the app to browsers until Ctrl+C."""
    from spotui.serve.access import Access, given_token, is_loopback, new_token

    _check(parsed, is_local=is_loopback(parsed.host))
    from spotui.serve.page import find_assets

    assets = find_assets()
    given = given_token(expanded(parsed.token_file) if parsed.token_file else None, os.environ)
    import asyncio

    from spotui.serve.server import Server, listening_socket, serve
    from spotui.settings import locations
    from spotui.wire.process import command

    workspace = options.workspace(parsed).root
    words = command(["--workspace", str(workspace)], module="spotui.tui.visitor")
    if parsed.read_only:
        words.append("--read-only")
    token = given or new_token()
    with listening_socket(parsed.host, parsed.port) as listener:
        port = listener.getsockname()[1]
        access = Access(token, parsed.host, port, parsed.public_url)
        url = parsed.public_url or f"http://{_shown(parsed.host)}:{port}"
        with locations.open_log(locations.log_dir() / "serve.log", "ab") as errors:
            server = Server(
                words, access, assets, is_read_only=parsed.read_only, errors=errors, say=print_now
            )
            written = _announce(parsed, f"{url.rstrip('/')}/", token, is_given=bool(given), port=port)
            try:
                asyncio.run(serve(server, listener))
            finally:
                if written is not None:
                    written.unlink(missing_ok=True)
    print_now(_("Stopped. Runs continue; 'spotui list' shows them."))
    return exit_codes.OK


def print_now(text: str) -> None:
    """Print a line at once, also into a file."""
    print(text, flush=True)


def _check(parsed: argparse.Namespace, *, is_local: bool) -> None:
    if not 0 <= parsed.port <= 65535:
        raise UsageError(_("{port} is not a port.", port=parsed.port), _("Choose one from 0 to 65535."))
    public = urlsplit(parsed.public_url)
    if parsed.public_url and (public.scheme not in ("http", "https") or not public.netloc):
        raise UsageError(
            _("--public-url {url} is not the address of a web page.", url=parsed.public_url),
            _("Give one that begins with https:// or http://."),
        )
    if not is_local and not parsed.expose:
        raise UsageError(
            _("Other machines can reach {host}.", host=parsed.host),
            _(
                "Whoever has the token could use spotui as you, spend money with your keys and run programs, "
                "and the connection is not encrypted. Add --expose if you want that; or stay on this machine "
                "and connect through SSH: ssh -L {port}:127.0.0.1:{port} THIS-MACHINE",
                port=parsed.port,
            ),
        )


def _announce(parsed: argparse.Namespace, url: str, token: str, *, is_given: bool, port: int) -> Path | None:
    """Say where the app is; a token goes to a terminal, or into a file that only the user can read.

    Returns:
        That file, to be removed at the end; None where there is none.
    """
    written = None
    if is_given:
        print_now(_("spotui is at {url} (add # and your token).", url=url))
    elif sys.stdout.isatty():
        print_now(_("spotui is at {url}", url=f"{url}#{token}"))
    else:  # what is printed may end in a log
        from spotui.serve.server import private_file
        from spotui.settings import locations

        written = locations.ensure_runtime_dir() / f"serve-{port}.url"
        private_file(written, f"{url}#{token}\n")
        print_now(_("spotui is at {url}; the address with its token is in {path}.", url=url, path=written))
    if parsed.read_only:
        print_now(_("Whoever has the token can look at everything; nothing can be changed."))
    else:
        print_now(_("Whoever has the token can use spotui as you."))
    if parsed.expose:
        print_now(
            _("The connection is not encrypted: use a proxy with TLS, or an SSH tunnel, across a network.")
        )
    print_now(_("Press Ctrl+C to stop. Runs continue without it."))
    return written


def _shown(host: str) -> str:
    return f"[{host}]" if ":" in host else host
