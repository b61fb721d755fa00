"""files/: the images and files that a run's questions come with, so that the originals may change or go."""

import os
from pathlib import Path
from typing import Final

import msgspec

from spotui.domain.messages import Attachment
from spotui.lang import _
from spotui.settings.locations import make_private
from spotui.templates.data.attachments import Attachments
from spotui.workspace.files import hint_for, open_file, read_file, write_file
from spotui.workspace.snapshot import SnapshotError

_LIST: Final = "list.json"

_decoder: Final = msgspec.json.Decoder(dict[str, Attachment])


def keep_attachments(folder: Path, attachments: Attachments) -> None:
    """Copy every file that was taken in, under its SHA-256, and list what stood for which.

    Args:
        folder: Made where there is anything to keep.
        attachments: The files.

    Raises:
        OSError: A file cannot be read, or the disk is full or read-only.
    """
    if not attachments.known:
        return
    make_private(folder)
    for one in attachments.known.values():
        path = folder / one.sha256
        if one.sha256 and not path.exists():
            with os.fdopen(open_file(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL), "wb") as file:
                file.write(attachments.content(one))
    write_file(folder / _LIST, msgspec.json.encode(attachments.known))


def kept_attachments(folder: Path) -> Attachments:
    """The files that were kept; none where there is no folder.

    Raises:
        SnapshotError: The list of them is damaged.
    """
    path = folder / _LIST
    try:
        known = _decoder.decode(read_file(path))
    except FileNotFoundError:
        known = {}
    except OSError as error:
        raise SnapshotError(
            _("{path} cannot be read: {strerror}.", path=path, strerror=error.strerror),
            hint_for(error, _("Check its permissions.")),
        ) from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise SnapshotError(
            _("{path} is damaged: {error}.", path=path, error=error), _("Restore it from a backup.")
        ) from None
    return Attachments(
        folder, known=known, contents={one.sha256: folder / one.sha256 for one in known.values()}
    )
