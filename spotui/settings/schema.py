"""What the user's config file may say; a field that is UNSET was not written."""

import msgspec
from msgspec import UNSET, UnsetType

from spotui.settings.kinds import (
    BaseUrl,
    Count,
    JudgeMode,
    Minutes,
    ModelId,
    ModelIds,
    Name,
    Rate,
    Rounds,
    Seconds,
    Seed,
    Switch,
    Temperature,
    Tokens,
    UnitMode,
    Usd,
    UsdPerMillion,
    Variable,
)


class RoleConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One role's model and how it is asked; a null temperature or max_tokens leaves it to the endpoint."""

    model: ModelId | UnsetType = UNSET
    temperature: Temperature | UnsetType | None = UNSET
    max_tokens: Tokens | UnsetType | None = UNSET
    timeout: Seconds | UnsetType = UNSET


class RolesConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The three roles, in the config file or in a template."""

    optimizer: RoleConfig = RoleConfig()
    evaluator: RoleConfig = RoleConfig()
    executor: RoleConfig = RoleConfig()


class PriceConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """USD per million tokens."""

    input: UsdPerMillion
    output: UsdPerMillion


class ModelConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """One model's endpoint.

    Attributes:
        base_url: The root of an OpenAI-compatible endpoint; None for the model's usual one.
        api_key_env: The name of the environment variable that holds the key.
        api_key_keyring: Whether the key is in the system keyring, under the service `spotui`.
        timeout: Seconds without a token after which a call has timed out.
        concurrency: Calls in flight at once.
        requests_per_minute: Or None for no limit.
        tokens_per_minute: Prompt and completion together, or None for no limit.
        price: The user's own price, or None to look it up.
    """

    base_url: BaseUrl | None = None
    api_key_env: Variable | None = None
    api_key_keyring: Switch = False
    timeout: Seconds | None = None
    concurrency: Count | None = None
    requests_per_minute: Rate | None = None
    tokens_per_minute: Rate | None = None
    price: PriceConfig | None = None


class RunConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The user's defaults for a run."""

    max_rounds: Rounds | UnsetType = UNSET
    sample: Count | UnsetType = UNSET
    judge: JudgeMode | UnsetType = UNSET
    judge_unit: UnitMode | UnsetType = UNSET
    judge_json: Switch | UnsetType = UNSET
    judges: ModelIds | UnsetType | None = UNSET
    embedding_model: ModelId | UnsetType | None = UNSET
    first_token_timeout: Seconds | UnsetType | None = UNSET
    call_timeout: Seconds | UnsetType | None = UNSET
    concurrency: Count | UnsetType | None = UNSET
    reference_answers: Switch | UnsetType = UNSET
    patience: Count | UnsetType | None = UNSET
    target_wins: Count | UnsetType | None = UNSET
    final_check: Switch | UnsetType | None = UNSET
    seed: Seed | UnsetType = UNSET


class BudgetConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a run may use at most, over all roles; null is no limit."""

    usd: Usd | UnsetType | None = UNSET
    tokens: Rate | UnsetType | None = UNSET
    calls: Rate | UnsetType | None = UNSET
    minutes: Minutes | UnsetType | None = UNSET


class RetryConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How long a failed call is tried again; null is no limit of that sort, both null is no retry."""

    tries: Count | UnsetType | None = UNSET
    seconds: Seconds | UnsetType | None = UNSET


class Config(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The whole config file."""

    roles: RolesConfig = RolesConfig()
    models: dict[ModelId, ModelConfig] = {}
    run: RunConfig = RunConfig()
    budget: BudgetConfig = BudgetConfig()
    retry: RetryConfig = RetryConfig()
    theme: Name | UnsetType = UNSET
