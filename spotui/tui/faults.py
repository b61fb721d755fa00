"""What is said when something in the app failed, and the file that keeps what happened."""

import traceback
from datetime import datetime

from spotui.domain.errors import limit_reached
from spotui.domain.version import VERSION
from spotui.lang import _, join
from spotui.settings import locations


def tell_crash(error: BaseException) -> str:
    """What is said when the app has to close.

    Args:
        error: An exception that was not caught.
    """
    limit = limit_reached(error)
    why = (
        _("The app had to close because of an error in spotui ({name}).", name=_name(error))
        if limit is None
        else join(_("The app had to close."), str(limit))
    )
    kept = _(
        "No run is lost: each is a separate process with its replies in its journal. Open "
        "spotui again, or list "
        "the runs with 'spotui list'."
    )
    return "\n".join([why, kept, _write_down(error)])


def tell_fault(error: BaseException) -> str:
    """What is said when something in the background failed and the app goes on.

    Args:
        error: An exception that was not caught.
    """
    return _(
        "That did not work because of an error in spotui ({name}). {write_down}",
        name=_name(error),
        write_down=_write_down(error),
    )


def _name(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__


def _write_down(error: BaseException) -> str:
    path = locations.log_dir() / f"crash-{datetime.now().astimezone():%Y%m%d-%H%M%S}.log"
    try:
        # The values of variables stay out: keys may be among them.
        text = f"spotui {VERSION}\n{''.join(traceback.format_exception(error))}"
        with locations.open_log(path, "ab") as file:
            file.write(text.encode("utf-8", "replace"))
    except OSError as fault:
        return _(
            "What happened could not be written to {path}: {strerror}.", path=path, strerror=fault.strerror
        )
    return _("The details are in {path}; please attach that file when you report this.", path=path)
