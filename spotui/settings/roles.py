"""The three roles, and what a role uses when nobody says otherwise."""

from typing import Final, Literal, NamedTuple, get_args

Role = Literal["optimizer", "evaluator", "executor"]
ROLES: Final[tuple[Role, ...]] = get_args(Role)

EMBEDDED_PREFIX: Final = "local/"
"""Model ids that start with this run inside spotui."""

DEFAULT_MODEL: Final = "local/qwen2.5-coder-1.5b"
"""Every role's model when none is chosen: it needs no account and no network."""

REFERENCE_MODEL: Final = "reference"
"""The model id that stands for the reference's own default of the role."""

OPENAI_URLS: Final = ("OPENAI_BASE_URL", "OPENAI_API_BASE")
"""Where the address for OpenAI's models stands; the second is the older name, which many manuals give."""

HOSTED_TIMEOUT: Final = 120.0
EMBEDDED_TIMEOUT: Final = 600.0
"""Seconds without a token; a laptop reads 60 tokens a second, so its first token may take minutes."""


class RoleDefaults(NamedTuple):
    """What one role starts from.

    Attributes:
        short: What its flags and variables begin with.
        temperature: The reference's temperature.
        reference_model: The reference's model.
    """

    short: str
    temperature: float
    reference_model: str


DEFAULTS: Final[dict[Role, RoleDefaults]] = {
    "optimizer": RoleDefaults("opt", 0.7, "claude-3-5-sonnet-20240620"),
    "evaluator": RoleDefaults("eval", 0.3, "gpt-4o-mini"),
    "executor": RoleDefaults("exec", 0.0, "gpt-4o-mini"),
}


def is_embedded(model: str) -> bool:
    """Whether a model id names a model that runs inside spotui."""
    return model.startswith(EMBEDDED_PREFIX)


def default_timeout(model: str) -> float:
    """Seconds without a token after which a call to this model has timed out, when nobody says otherwise."""
    return EMBEDDED_TIMEOUT if is_embedded(model) else HOSTED_TIMEOUT
