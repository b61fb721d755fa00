"""The page around the terminal: its files, its sentences, and the rules that a browser follows for it."""

import json
import os
from importlib.util import find_spec
from pathlib import Path
from typing import Final, NamedTuple

from spotui.domain.errors import SpotuiError
from spotui.lang import _

LARGEST_UPLOAD: Final = 4 * 1024 * 1024
"""Bytes of an uploaded file; templates have a few thousand."""

_HERE: Final = Path(__file__).parent
_OWN: Final = ("page.js", "page.css", "icon.svg")
_BUNDLED: Final = {
    "terminal.js": "js/textual.js",
    "terminal.css": "css/xterm.css",
    "terminal.ttf": "fonts/RobotoMono-VariableFont_wght.ttf",
    "terminal-italic.ttf": "fonts/RobotoMono-Italic-VariableFont_wght.ttf",
}

HEADERS: Final = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; font-src 'self'; "
        "img-src 'self'; connect-src 'self'{sockets}; base-uri 'none'; form-action 'none'; "
        "frame-ancestors 'none'"
    ),
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
"""Nothing is loaded from another host, and no other page can have this one in a frame."""


class Assets(NamedTuple):
    """The files of the page.

    Attributes:
        files: The file of each name under which a browser asks for it.
    """

    files: dict[str, Path]


def find_assets() -> Assets:
    """Our own files, and the terminal that textual-serve bundles.

    Raises:
        SpotuiError: textual-serve is not installed, or not complete.
    """
    spec = find_spec("textual_serve")
    hint = _("Install it with `pip install 'spotui[serve]'`.")
    if spec is None or not spec.submodule_search_locations:
        raise SpotuiError(_("The browser's terminal needs the package textual-serve."), hint)
    bundle = Path(next(iter(spec.submodule_search_locations))) / "static"
    files = {name: _HERE / name for name in _OWN} | {name: bundle / path for name, path in _BUNDLED.items()}
    for path in files.values():
        if not path.is_file():
            raise SpotuiError(_("{path} is missing.", path=path), hint)
    return Assets(files)


def page(*, is_read_only: bool) -> str:
    """The page with its sentences."""
    texts = {
        "lang": os.environ.get("SPOTUI_LANG", "") or "en",
        "title": _("spotui (read-only)") if is_read_only else "spotui",
        "badge": _("read-only") if is_read_only else "",
        "largest": LARGEST_UPLOAD,
        "signInTitle": _("Sign in to spotui"),
        "signInText": _(
            "Open the address that 'spotui serve' printed, or paste it or its token (the part after #) here."
        ),
        "token": _("Token"),
        "signIn": _("Sign in"),
        "otherToken": _("The server has another token now."),
        "waiting": _("Connecting…"),
        "lost": _("The connection was lost. Trying again…"),
        "leftTitle": _("You have left spotui"),
        "leftText": _("Runs continue; open spotui again to see them."),
        "leftButton": _("Open again"),
        "elsewhereTitle": _("Open in another tab"),
        "elsewhereText": _("Another tab or window of this browser shows this spotui now."),
        "elsewhereButton": _("Show it here"),
        "failedTitle": _("spotui had to close"),
        "failedText": _(
            "No run is lost: each is a separate process. The log of 'spotui serve' says what happened."
        ),
        "failedButton": _("Open again"),
        "fullTitle": _("No more browsers"),
        "fullButton": _("Try again"),
        "copyTitle": _("Copy this text"),
        "copyText": _(
            "The browser does not let this page use the clipboard. The text is selected: press Ctrl+C."
        ),
        "close": _("Close"),
        "tooLarge": _("{name} is too large to be a template.", name="{name}"),
    }
    data = json.dumps(texts, ensure_ascii=False).replace("<", "\\u003c")
    return (_HERE / "index.html").read_text(encoding="utf-8").replace("{texts}", data)
