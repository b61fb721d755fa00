"""Whether a run needs an embedding model, and which one it has."""

from typing import Final

import msgspec

from spotui.errors import SpotuiError
from spotui.methods.method import Method
from spotui.settings.run_settings import RunSettings

MEND: Final = (
    "Choose one with --embedding-model, such as text-embedding-3-small, or with run.embedding_model in the "
    "config file; relevance=bm25 needs none."
)


def with_embedding(method: Method, parameters: msgspec.Struct, settings: RunSettings) -> RunSettings:
    """The settings of a run with its embedding model, or without one where nothing asks it.

    Args:
        method: What the run does.
        parameters: What it was told.
        settings: What the user chose.

    Raises:
        SpotuiError: One is needed, and none was chosen.
    """
    if method.embeds is None or not method.embeds(parameters):
        return msgspec.structs.replace(settings, embedding_model=None)
    if settings.embedding_model is None:
        raise SpotuiError(
            "relevance: embedding needs an embedding model, and none is chosen.",
            MEND,
        )
    return settings
