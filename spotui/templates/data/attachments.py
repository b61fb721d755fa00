"""The images and files that go with questions: found beside the template, in data URLs, or on the web."""

import binascii
import stat
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final
from urllib.parse import unquote_to_bytes, urlsplit

import msgspec

from spotui.domain.messages import Attachment
from spotui.lang import _
from spotui.settings.locations import expanded
from spotui.templates.data.record import BadRowError

LARGEST: Final = 20_000_000
"""Bytes of one file: more than any endpoint takes."""

_MB: Final = 1_000_000


class Attachments:
    """Takes files in, and gives their contents out.

    Args:
        folder: Where relative paths begin.
        allows: Whether a file outside of the folder may be sent.
        known: Files that were taken in before, by what stands for them.
        contents: Where each of these is, by its SHA-256.

    Attributes:
        known: Every file so far, by what stands for it.
    """

    def __init__(
        self,
        folder: Path,
        allows: Callable[[Path], bool] = lambda _: True,
        known: Mapping[str, Attachment] = {},
        contents: Mapping[str, Path] = {},
    ) -> None:
        self.known = dict(known)
        self._folder = folder
        self._allows = allows
        self._contents: dict[str, Path | bytes] = dict(contents)

    def __eq__(self, other: object) -> bool:
        """Whether the same files were taken in, wherever they are."""
        return isinstance(other, Attachments) and self.known == other.known

    __hash__ = None  # type: ignore[assignment]

    def attach(self, source: str, name: str = "") -> Attachment:
        """Take a file in.

        Args:
            source: A path, a data URL, or an https address of an image.
            name: What to call it; made of the source otherwise.

        Raises:
            BadRowError: There is no such file, it is too large, or of a kind that no model reads.
        """
        if source not in self.known:
            self.known[source] = self._taken(source.strip(), name)
        return self.known[source]

    def content(self, attachment: Attachment) -> bytes:
        """The bytes of a file that was taken in.

        Raises:
            OSError: They cannot be read any more.
        """
        found = self._contents.get(attachment.sha256)
        if found is None:
            raise FileNotFoundError(attachment.name)
        return found if isinstance(found, bytes) else found.read_bytes()

    def with_content(self, attachment: Attachment) -> Attachment:
        """A file as it is sent: with its bytes in its URL.

        Raises:
            OSError: They cannot be read any more.
        """
        if not attachment.sha256:
            return attachment
        import base64

        written = base64.b64encode(self.content(attachment)).decode("ascii")
        return msgspec.structs.replace(attachment, url=f"data:{attachment.media};base64,{written}")

    def _taken(self, source: str, name: str) -> Attachment:
        if source.startswith("data:"):
            return self._of_data_url(source, name or _("data URL"))
        if "://" in source:
            return _of_web(source, name)
        path = self._path(source)
        content = path.read_bytes()
        return self._kept(path, name or path.name, content, _media(path.name))

    def _kept(self, where: Path | bytes, name: str, content: bytes, media: str) -> Attachment:
        import hashlib

        digest = hashlib.sha256(content).hexdigest()
        self._contents.setdefault(digest, where)
        return Attachment(name, media, sha256=digest, size=len(content))

    def _of_data_url(self, source: str, name: str) -> Attachment:
        import base64

        head, comma, body = source.removeprefix("data:").partition(",")
        media, *marks = head.split(";")
        try:
            content = (
                base64.b64decode("".join(body.split()), validate=True)
                if "base64" in marks
                else unquote_to_bytes(body)
            )
        except (binascii.Error, ValueError):
            content = b""
        if not comma or not content:
            raise BadRowError(
                _("A data URL holds no file."), _("Write `data:image/png;base64,` and the file in base64.")
            )
        _check_size(len(content), name)
        return self._kept(content, name, content, media or "text/plain")

    def _path(self, source: str) -> Path:
        path = self._folder / expanded(source.removeprefix("file://"))
        try:
            found = path.stat()
            path = path.resolve()
        except (OSError, ValueError, RuntimeError):
            raise BadRowError(
                _("There is no file {source}.", source=source[:200]),
                _("Paths begin at the template's folder."),
            ) from None
        if not stat.S_ISREG(found.st_mode):
            raise BadRowError(_("{source} is not an ordinary file.", source=source[:200]))
        _check_size(found.st_size, source)
        if not path.is_relative_to(self._folder.resolve()) and not self._allows(path):
            raise BadRowError(
                _("{path} is outside the template's folder, and would be sent to a model.", path=path),
                _("If that is right, repeat the command with --trust {path}.", path=path),
            )
        return path


def _check_size(size: int, name: str) -> None:
    if size > LARGEST:
        raise BadRowError(
            _(
                "{name} has {size:.0f} MB, and a model takes at most {most} MB.",
                name=name,
                size=size / _MB,
                most=20,
            ),
            _("Make it smaller, for example a JPEG of 2000 pixels."),
        )


def _media(name: str) -> str:
    media = _guessed(name)
    if media is None:
        raise BadRowError(
            _("The ending of {name} does not say what kind of file it is.", name=name),
            _("Give it one, such as .png, .jpg, .pdf or .txt."),
        )
    return media


def _guessed(name: str) -> str | None:
    """The media type that the ending of a name says."""
    from mimetypes import guess_type

    return guess_type(name)[0]


def _of_web(source: str, name: str) -> Attachment:
    try:
        parts = urlsplit(source)
    except ValueError:
        parts = urlsplit("")
    if parts.scheme != "https" or not parts.hostname or "@" in parts.netloc:
        raise BadRowError(
            _("{source} is no https address.", source=source[:200]),
            _("Give an https address, or the path of a file."),
        )
    file = Path(parts.path).name
    media = _guessed(file) or "image/*"
    if not media.startswith("image/"):
        raise BadRowError(
            _("{source} is no image, and endpoints fetch images only.", source=source[:200]),
            _("Download it, and give its path."),
        )
    return Attachment(name or file or parts.hostname, media, url=source)
