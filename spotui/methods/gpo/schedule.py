"""How many words a step may change: the learning rate of GPO, and how it decays (section 3.3)."""

import math

from spotui.methods.gpo.parameters import Parameters


def edit_budget(parameters: Parameters, step: int, last: int) -> int | None:
    """Words that a step may change, its integer part, at least 1; None for no limit.

    Args:
        parameters: The schedule with its ends and its warm-up.
        step: From 1.
        last: How many steps the schedule is made for; steps beyond have the final budget.
    """
    high, low, warmup = parameters.edit_budget_initial, parameters.edit_budget_final, parameters.warmup_steps
    if parameters.edit_budget_schedule == "none":
        return None
    if step < warmup:
        return max(1, int(high * step / warmup))
    done = 1.0 if step >= last else (step - warmup) / (last - warmup)
    match parameters.edit_budget_schedule:
        case "constant":
            budget = float(high)
        case "linear":
            budget = high - (high - low) * done
        case "cosine":
            budget = low + (high - low) / 2 * (1 + math.cos(math.pi * done))
    # A hair above, as the cosine of a right angle is not quite 0 in floating point.
    return max(1, int(budget + 1e-9))
