"""What was typed for this run alone."""

import msgspec

FlagValue = str | float | bool | None


class Flags(msgspec.Struct, frozen=True, kw_only=True):
    """One field for each flag, in the order of `--help`; None is a flag that was not typed.

    A text is read as the environment is (`none` lifts a limit), so a parser can hand over what it got; a
    typed value is checked the same way.
    """

    model: FlagValue = None
    opt_model: FlagValue = None
    opt_temp: FlagValue = None
    opt_max_tokens: FlagValue = None
    opt_timeout: FlagValue = None
    eval_model: FlagValue = None
    eval_temp: FlagValue = None
    eval_max_tokens: FlagValue = None
    eval_timeout: FlagValue = None
    exec_model: FlagValue = None
    exec_temp: FlagValue = None
    exec_max_tokens: FlagValue = None
    exec_timeout: FlagValue = None
    timeout: FlagValue = None
    first_token_timeout: FlagValue = None
    call_timeout: FlagValue = None
    max_rounds: FlagValue = None
    initial_round: FlagValue = None
    sample: FlagValue = None
    seed: FlagValue = None
    judge: FlagValue = None
    judge_unit: FlagValue = None
    judge_json: FlagValue = None
    judges: FlagValue = None
    embedding_model: FlagValue = None
    reference_answers: FlagValue = None
    patience: FlagValue = None
    target_wins: FlagValue = None
    final_check: FlagValue = None
    budget_usd: FlagValue = None
    budget_tokens: FlagValue = None
    budget_calls: FlagValue = None
    budget_minutes: FlagValue = None
    tries: FlagValue = None
    retry_seconds: FlagValue = None
    base_url: FlagValue = None
    concurrency: FlagValue = None


def flag_name(field: str) -> str:
    """The flag as it is typed."""
    return "--" + field.replace("_", "-")
