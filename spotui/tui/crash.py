"""What a person is told when the app has a fault."""

import traceback
from datetime import datetime

from spotui import locations
from spotui.errors import limit_reached
from spotui.version import VERSION


def tell_crash(error: BaseException) -> str:
    """What is said when the app has to close.

    Args:
        error: What nobody has caught.
    """
    limit = limit_reached(error)
    why = f", which is a fault of spotui ({_name(error)})." if limit is None else f". {limit}"
    return (
        f"The screen had to close{why}\n"
        "No run is lost: each is its own process, and what it has bought is in its journal. "
        "Open spotui again, or see them with 'spotui list'.\n"
        f"{_write_down(error)}"
    )


def tell_fault(error: BaseException) -> str:
    """What is said when something in the background failed and the app goes on.

    Args:
        error: What nobody has caught.
    """
    return f"That did not work, which is a fault of spotui ({_name(error)}). {_write_down(error)}"


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
        return f"What happened could not be written to {path}: {fault.strerror}."
    return f"What happened is in {path}; please send it along when you tell us."
