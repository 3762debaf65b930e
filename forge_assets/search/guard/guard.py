"""Fit a job to the memory envelope before it runs, by the least damaging steps.

Where one step is enough, the least damaging one is taken. Where none is, it takes several: of all combinations that
fit, the one that harms least what is learned, then with the fewest steps, then the fastest. So no step is taken that
was not needed, and what can be made to fit is never refused. See `rules` for the steps and why each is taken.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import reduce
from itertools import product
from typing import Any

from forge_assets.search.guard.calibration import UNMEASURED, Calibration
from forge_assets.search.guard.rules import RULES, Damage, Step, share_of_head, steps
from forge_assets.training.jobs.spec import SftJob
from forge_assets.training.planning.memory import predict
from forge_assets.training.planning.memory_overhead import Machine
from forge_assets.training.planning.model_shape import Shape
from forge_assets.training.planning.placement import DoesNotFit


@dataclass(frozen=True)
class Intervention:
    """One downgrade.

    Attributes:
        rule: which product was too large, e.g. "batch x sequence length".
        parameter: what was changed: batch_size, gradient_checkpointing, target_modules or rank.
        reason: a sentence with what was predicted before it, what is allowed, and why this product is dangerous.
    """

    rule: str
    parameter: str
    before: Any
    after: Any
    reason: str


@dataclass(frozen=True)
class Guarded:
    """The job that may run, the memory that must be free for it, and every step away from the job asked for."""

    job: SftJob
    predicted_bytes: int
    interventions: tuple[Intervention, ...]


def guard(
    job: SftJob,
    shape: Shape,
    machine: Machine,
    memory_budget_bytes: float,
    calibration: Calibration = UNMEASURED,
    *,
    completion: float = 1.0,
) -> Guarded:
    """Return the job, or a smaller one that fits.

    Args:
        calibration: what earlier peaks of this search say of the prediction.
        completion: share of a row's tokens that are learned, see `predict`.

    Raises:
        DoesNotFit: the model is too large for the envelope whatever is done.
    """

    def need(way: SftJob) -> int:
        return calibration.safe(predict(way, shape, machine, completion=completion))

    if (asked := need(job)) <= memory_budget_bytes:
        return Guarded(job, asked, ())
    least = asked
    for taken in _by_damage(job):
        way = reduce(lambda done, step: step.apply(done), taken, job)
        if (held := need(way)) <= memory_budget_bytes:
            return Guarded(
                way,
                held,
                tuple(_explain_steps(job, taken, shape, machine, memory_budget_bytes, calibration, completion)),
            )
        least = min(least, held)
    raise DoesNotFit(
        f"{least / 1e9:.2f} GB predicted, {memory_budget_bytes / 1e9:.2f} GB allowed, at batch 1 with gradient "
        "checkpointing" + (" and rank 1" if job.lora else "") + ": choose a smaller model, a shorter max_length, or "
        "weights in nf4"
    )


def _by_damage(job: SftJob) -> list[tuple[Step, ...]]:
    """Every combination of at most one step a parameter, single steps first."""
    choices = [(None, *one) for one in steps(job)]
    found = [tuple(step for step in taken if step) for taken in product(*choices)]

    def order(taken: tuple[Step, ...]) -> tuple[bool, int, int, float]:
        damage = sum((step.damage for step in taken), Damage(0, 0.0))
        return len(taken) > 1, damage.harm, len(taken), damage.time

    return sorted((taken for taken in found if taken), key=order)


def _explain_steps(
    job: SftJob,
    taken: tuple[Step, ...],
    shape: Shape,
    machine: Machine,
    memory_budget_bytes: float,
    calibration: Calibration,
    completion: float,
) -> Iterator[Intervention]:
    """What each step answered, one after the other."""
    before = predict(job, shape, machine, completion=completion)
    for step in taken:
        rule = step.rule(
            before, after := predict(step.apply(job), shape, machine, completion=completion), share_of_head(job, shape)
        )
        gigabytes = f"{calibration.safe(before) / 1e9:.2f} GB predicted, {memory_budget_bytes / 1e9:.2f} GB allowed"
        yield Intervention(rule, step.parameter, step.before, step.after, f"{gigabytes}: {RULES[rule]}")
        job, before = step.apply(job), after
