"""What a person is told when the app has a fault."""

import traceback
from datetime import datetime

from spotui import locations
from spotui.version import VERSION


def tell_crash(error: BaseException) -> str:
    """Write down what happened, and say where that is and what it means for the runs.

    Args:
        error: What nobody has caught.
    """
    what = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
    path = locations.log_dir() / f"crash-{datetime.now().astimezone():%Y%m%d-%H%M%S}.log"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        # The values of variables stay out: keys may be among them.
        path.write_text(f"spotui {VERSION}\n{''.join(traceback.format_exception(error))}")
        where = f"What happened is in {path}; please send it along when you tell us."
    except OSError as fault:
        where = f"What happened could not be written to {path}: {fault.strerror}."
    return (
        f"The screen had to close, which is a fault of spotui ({what}).\n"
        "No run is lost: each is its own process, and what it has bought is in its journal. "
        "Open spotui again, or see them with 'spotui list'.\n"
        f"{where}"
    )
