"""The root of every error that spotui raises on purpose."""


class SpotuiError(Exception):
    """An error a person can act on.

    Args:
        what: What happened and where, one sentence.
        mend: What to do about it, one sentence; empty when there is nothing to do.
    """

    def __init__(self, what: str, mend: str = "") -> None:
        super().__init__(f"{what} {mend}".rstrip())
        self.what = what
        self.mend = mend
