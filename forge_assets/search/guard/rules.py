"""Define the steps that make a training smaller: what each costs, and the rule, with its reason, for it.

Memory goes with products, so no single number of a configuration is dangerous by itself: a large batch is harmless
with short rows, a high rank with few matrices. Each rule names the product that a step makes smaller.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from forge_assets.training.jobs.spec import SftJob
from forge_assets.training.planning.memory import Prediction
from forge_assets.training.planning.model_shape import HEAD, Shape

RULES: Mapping[str, str] = {
    "batch x sequence length": (
        "activations and logits are held for every token of all rows that pass at once; fewer rows at once, "
        "accumulated, give the same gradient"
    ),
    "layers x sequence length": (
        "every layer keeps its activations of all tokens until the way back; with gradient checkpointing it keeps its "
        "input alone and computes the rest again, which takes a third more time and changes nothing that is learned"
    ),
    "rank x sequence length": (
        "every adapted matrix keeps `rank` numbers of each token until the way back, and this is most of what the "
        "rank holds here"
    ),
    "rank x matrices": (
        "an adapter is `rank` times the sides of all its matrices, held four times in fp32: as weights, gradients and "
        "AdamW's two moments"
    ),
    "lm_head x rank": (
        "on the output layer an adapter is as long as the vocabulary for each of its `rank`, with gradients and two "
        "moments, and multiplies every learned token into the vocabulary once more"
    ),
}
"""Why each product is dangerous."""

CHECKPOINTING = 1 / 3
"""Of a step's time, what it costs to compute the layers once more."""

SPLIT = 0.01
"""The same for half the rows at once: a device stays nearly as busy."""


@dataclass(frozen=True, order=True)
class Damage:
    """What a step costs; less is better, and no saving of time outweighs a change to what is learned.

    Attributes:
        harm: by how much less can be learned, to compare by: 1 to leave the output layer out, which few recipes adapt;
            2 for half the rank, 3 for a quarter, and so on.
        time: share of a step's time.
    """

    harm: int
    time: float

    def __add__(self, other: Damage) -> Damage:
        return Damage(self.harm + other.harm, self.time + other.time)


@dataclass(frozen=True)
class Step:
    """One parameter made smaller."""

    parameter: str
    before: Any
    after: Any
    damage: Damage

    def apply(self, job: SftJob) -> SftJob:
        """Apply the step to a job; everything else stays as it is."""
        if self.parameter == "batch_size":
            more = job.accumulation * job.batch_size // self.after
            return job.model_copy(update={"batch_size": self.after, "accumulation": more})
        if self.parameter == "gradient_checkpointing":
            return job.model_copy(update={"gradient_checkpointing": True})
        assert job.lora is not None
        change: dict[str, Any] = {self.parameter: self.after}
        if self.parameter == "rank":
            change["alpha"] = max(1, round(job.lora.alpha * self.after / job.lora.rank))
        return job.model_copy(update={"lora": job.lora.model_copy(update=change)})

    def rule(self, before: Prediction, after: Prediction, head_share: float) -> str:
        """Choose the rule that explains the step.

        Args:
            before: of the job it is taken from, as `after` is of the one with it.
            head_share: of the adapter's weights, those on the output layer.
        """
        if self.parameter == "batch_size":
            return "batch x sequence length"
        if self.parameter == "gradient_checkpointing":
            return "layers x sequence length"
        if self.parameter == "target_modules":
            return "lm_head x rank"
        freed = {name: held - after.moments[before.moment].get(name, 0) for name, held in before.parts.items()}
        matrices = sum(freed.get(name, 0) for name in ("adapter", "optimizer", "gradients"))
        if sum(freed.values()) > 2 * matrices:
            return "rank x sequence length"
        return "lm_head x rank" if head_share > 0.5 else "rank x matrices"


def steps(job: SftJob) -> Iterator[tuple[Step, ...]]:
    """List all single steps by parameter, the smallest change first."""
    batch, lora = job.batch_size, job.lora
    yield tuple(
        Step("batch_size", batch, rows, Damage(0, SPLIT * math.log2(batch / rows)))
        for rows in range(batch - 1, 0, -1)
        if batch % rows == 0
    )
    if not job.gradient_checkpointing:
        yield (Step("gradient_checkpointing", False, True, Damage(0, CHECKPOINTING)),)
    if lora is None:
        return
    inside = tuple(name for name in lora.target_modules if name != HEAD)
    if lora.target_modules != "all-linear" and HEAD in lora.target_modules and inside:
        yield (Step("target_modules", lora.target_modules, inside, Damage(1, 0.0)),)
    yield tuple(
        Step("rank", lora.rank, lora.rank >> halved, Damage(1 + halved, 0.0))
        for halved in range(1, lora.rank.bit_length())
    )


def share_of_head(job: SftJob, shape: Shape) -> float:
    """Compute the share of an adapter's weights on the output layer; 0 without an adapter."""
    if job.lora is None or job.lora.target_modules == "all-linear" or HEAD not in job.lora.target_modules:
        return 0.0
    lora = job.lora
    return shape.adapter(lora.rank, False, (HEAD,)) / shape.adapter(lora.rank, lora.experts, lora.target_modules)
