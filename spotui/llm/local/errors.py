"""What can go wrong with a model on this machine before it is asked anything."""

from spotui.errors import SpotuiError


class LocalModelError(SpotuiError):
    """A local model cannot be fetched, kept or served."""


class UnknownModelError(LocalModelError):
    """No local model goes by this name, or it has not been pulled yet."""


class PullError(LocalModelError):
    """A model could not be brought onto this machine; what was fetched is kept, unless it was wrong."""


class ServerError(LocalModelError):
    """The local model's server cannot be started, or has ended.

    Args:
        what: What happened.
        mend: What to do about it.
        transient: Whether another try may mend it.
    """

    def __init__(self, what: str, mend: str = "", *, transient: bool = False) -> None:
        super().__init__(what, mend)
        self.transient = transient
