"""The data files that litellm's package carries, found without the seconds that importing it costs."""

from importlib.util import find_spec
from pathlib import Path
from typing import Final

PRICES: Final = "model_prices_and_context_window_backup.json"
VOCABULARIES: Final = "litellm_core_utils/tokenizers"
PROVIDERS: Final = "types/utils.py"
OPENAI_LIKE_PROVIDERS: Final = "llms/openai_like/providers.json"


def litellm_path(relative: str) -> Path | None:
    """A file or folder inside litellm's package.

    Args:
        relative: Its path below the package, with slashes.

    Returns:
        Where it is, or None when litellm is not installed or has no such file.
    """
    try:
        spec = find_spec("litellm")
    except (ImportError, ValueError):
        return None
    if spec is None or spec.origin is None:
        return None
    path = Path(spec.origin).parent / relative
    return path if path.exists() else None
