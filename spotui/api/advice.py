"""Errors with advice for Python in place of the command line's."""

import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Final

from spotui.domain.errors import SpotuiError
from spotui.lang import _
from spotui.runs.trust import OutsideDataError, UntrustedError
from spotui.settings.programs import UntrustedProgramError
from spotui.workspace.history import read_history
from spotui.workspace.moving import NameTakenError

_FLAG: Final = re.compile(r"(?<![\w-])--([a-z][a-z-]+)")


@contextmanager
def advice_for_python() -> Iterator[None]:
    """Let errors advise arguments of Python in place of flags of the command line."""
    try:
        yield
    except NameTakenError as error:
        next_round = 1
        with suppress(SpotuiError):  # whoever opens a damaged one learns of it
            next_round = read_history(error.project).last_round + 1
        error.hint = (
            _(
                "Pass initial_round={n} to continue it, fresh=True to start over, or another name.",
                n=next_round,
            )
            if next_round > 1
            else _("Pass fresh=True to start over, or another name.")
        )
        error.args = (f"{error.what} {error.hint}",)
        raise
    except (UntrustedError, UntrustedProgramError, OutsideDataError) as error:
        error.hint = _("If you trust it, pass trust={error!r}.", error=str(error.path))
        error.args = (f"{error.what} {error.hint}",)
        raise
    except SpotuiError as error:
        error.what, error.hint = (_FLAG.sub(_argument, text) for text in (error.what, error.hint))
        error.args = (f"{error.what} {error.hint}".rstrip(),)
        raise


def _argument(flag: re.Match[str]) -> str:
    name = flag[1].replace("-", "_")
    return "optimized_path" if name == "workspace" else name
