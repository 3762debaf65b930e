"""What measured peaks of a model add to the memory prediction: on measured jobs, and in simulated searches.

Run: python bench/calibration.py [--searches N]

The measured jobs are those of bench/results/memory-2026-11-25.md, in bytes where
tests/training/planning/memory_measured.json has them. From k of a model's trainings, drawn 40 times, the others are
predicted. A simulated search has 50 trials of
SmolLM2-135M over batch, rank and modules in an envelope that about half of them exceed; its rows fill a share of
`max_length` that the prediction does not know, and every trial deviates from its parts by a residual of its own.
"""

from __future__ import annotations

import argparse
import json
import math
import random
import re
import statistics
from collections.abc import Callable, Sequence

from memory import CONFIGURATIONS, MODELS, PROJECT, SMOLLM2

from forge_assets.search.guard.calibration import (
    HELD,
    PASSING_SPREAD,
    RESIDUAL,
    RESIDUAL_FREEDOM,
    UNMEASURED,
    Calibration,
    Measured,
    calibrate,
)
from forge_assets.search.guard.guard import guard
from forge_assets.training.jobs.spec import Lora, SftJob
from forge_assets.training.planning.memory import Prediction, predict
from forge_assets.training.planning.memory_overhead import CPU
from forge_assets.training.planning.model_shape import HEAD, Shape
from forge_resources.config.model_registry import ModelLibrary

RESULTS = PROJECT / "bench" / "results" / "memory-2026-11-25.md"
EXACT = PROJECT / "tests" / "training" / "memory_measured.json"

Bound = Callable[[Sequence[Measured], Prediction], tuple[float, float]]
"""Expected bytes, and those that must be free."""


def trainings(*, plain: bool) -> dict[str, list[Measured]]:
    """Measured trainings by model; `plain`: only adapters on weights in full precision, which one search may vary."""
    exact = {row["name"]: int(row["peak_rss_bytes"]) for row in json.loads(EXACT.read_text("utf-8"))}
    smollm2 = ModelLibrary(SMOLLM2.parent).config(SMOLLM2.name)
    found: dict[str, list[Measured]] = {}
    for name, gigabytes in re.findall(r"^\| (\S+ .+?) \| ([\d.]+) \|", RESULTS.read_text("utf-8"), re.MULTILINE):
        model, job = CONFIGURATIONS[name]
        if not isinstance(job, SftJob) or (plain and (job.lora is None or job.quantisation != "none")):
            continue
        shape = Shape.parse((MODELS.get(model) or smollm2) | {"dtype": "float32"})
        peak = exact.get(name, round(float(gigabytes) * 1e9))
        found.setdefault(model, []).append(Measured(predict(job, shape, CPU), peak))
    return found


def margin(_: Sequence[Measured], prediction: Prediction) -> tuple[float, float]:
    """The prediction as it is."""
    return prediction.peak, prediction.safe


def one_factor(seen: Sequence[Measured], prediction: Prediction) -> tuple[float, float]:
    """One factor for all of a peak: normal prior on its logarithm, the same residual and quantile."""
    if not seen:
        return margin(seen, prediction)
    logs = [math.log(one.measured_bytes / one.prediction.peak) for one in seen]
    precision = (RESIDUAL / PASSING_SPREAD) ** 2 + len(logs)
    mean = sum(logs) / precision
    squares = RESIDUAL_FREEDOM * RESIDUAL**2 + sum(log**2 for log in logs) - precision * mean**2
    spread = math.sqrt(squares / (RESIDUAL_FREEDOM + len(logs)) * (1 + 1 / precision))
    return prediction.peak * math.exp(mean), prediction.peak * math.exp(mean + calibrate(seen).quantile * spread)


def two_parts(seen: Sequence[Measured], prediction: Prediction) -> tuple[float, float]:
    """What the search uses."""
    found = calibrate(seen)
    return found.expected(prediction), found.safe(prediction)


def measured_table() -> str:
    """Errors and bounds after k observations of the same model."""
    lines = [
        "| trainings | method | seen | cases | median error | 95th percentile | bound held | bound / truth |",
        "|---|---|---:|---:|---:|---:|---:|---:|",
    ]
    methods: dict[str, Bound] = {"margin": margin, "one factor": one_factor, "two parts": two_parts}
    for words, plain in (("LoRA, not quantised", True), ("all", False)):
        models = trainings(plain=plain)
        for method, bound in methods.items():
            for count in (0, 1, 2, 3, 5, None):
                if (method == "margin") != (count == 0):
                    continue
                cases = _cases(models, count)
                pairs = [(bound(seen, asked.prediction), asked.measured_bytes) for seen, asked in cases]
                errors = sorted(abs(truth / expected - 1) for (expected, _), truth in pairs)
                held = sum(truth <= safe for (_, safe), truth in pairs) / len(pairs)
                slack = statistics.median(safe / truth for (_, safe), truth in pairs)
                lines.append(
                    f"| {words} | {method} | {'all others' if count is None else count} | {len(pairs)} "
                    f"| {statistics.median(errors):.1%} | {errors[int(0.95 * (len(errors) - 1))]:.1%} "
                    f"| {held:.1%} | {slack:.3f} |"
                )
    return "\n".join(lines)


def _cases(models: dict[str, list[Measured]], count: int | None) -> list[tuple[list[Measured], Measured]]:
    """What was seen, and what is asked; all others of the model where `count` is None."""
    rng, found = random.Random(0), []
    for jobs in models.values():
        if count is None:
            found += [(jobs[:at] + jobs[at + 1 :], jobs[at]) for at in range(len(jobs)) if len(jobs) > 1]
            continue
        for _ in range(40):
            drawn = rng.sample(jobs, len(jobs))
            found += [(drawn[:count], asked) for asked in drawn[count:]]
    return found


def search(rng: random.Random, fill: float, residual: float, *, calibrated: bool) -> tuple[int, int, int]:
    """One simulated search: trials out of memory, downgraded, and downgraded though they would have fitted."""
    shape = Shape.parse(ModelLibrary(SMOLLM2.parent).config(SMOLLM2.name) | {"dtype": "float32"})
    envelope, seen = 4.5e9, []
    killed = downgraded = needless = 0
    calibration: Calibration = UNMEASURED
    for _ in range(50):
        modules = rng.choice([("q_proj", "v_proj"), ("q_proj", "v_proj", HEAD), "all-linear"])
        rank = rng.choice([8, 16, 32, 64])
        asked = SftJob(
            base="b" * 64, dataset="d" * 64, lora=Lora(rank=rank, alpha=rank, target_modules=modules),
            learning_rate=1e-4, batch_size=rng.choice([1, 2, 4, 8]), steps=1, max_length=384,
        )  # fmt: skip
        allowed = guard(asked, shape, CPU, envelope, calibration)
        noise = math.exp(rng.gauss(0, residual))
        peak = _true(predict(allowed.job, shape, CPU), fill) * noise
        if allowed.interventions:
            downgraded += 1
            needless += _true(predict(asked, shape, CPU), fill) * noise <= envelope
        killed += peak > envelope
        seen.append(Measured(predict(allowed.job, shape, CPU), round(min(peak, envelope))))
        calibration = calibrate(seen) if calibrated else UNMEASURED
    return killed, downgraded, needless


def _true(prediction: Prediction, fill: float) -> float:
    """The peak of rows that fill that share of `max_length`."""
    return max(
        sum(size * (1 if name in HELD else fill) for name, size in parts.items())
        for parts in prediction.moments.values()
    )


def searches_table(count: int) -> str:
    """How many simulated searches lose a trial, and how many trials are downgraded though they would have fitted."""
    lines = [
        "| rows fill | residual | bound | searches | without a loss | trials lost | needless downgrades |",
        "|---:|---:|---|---:|---:|---:|---:|",
    ]
    for fill in (0.6, 0.8, 1.0, 1.1):
        for residual in (0.02, 0.035, 0.05):
            for words in ("margin", "two parts"):
                rng = random.Random(f"{fill} {residual}")
                found = [search(rng, fill, residual, calibrated=words == "two parts") for _ in range(count)]
                lost = [killed for killed, _, _ in found]
                lines.append(
                    f"| {fill:.0%} | {residual:.1%} | {words} | {count} | {lost.count(0) / count:.0%} | {sum(lost)} "
                    f"| {sum(needless for _, _, needless in found) / (50 * count):.1%} |"
                )
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--searches", type=int, default=20, help="of each kind")
    given = parser.parse_args()
    print(measured_table(), end="\n\n", flush=True)
    print(searches_table(given.searches))


if __name__ == "__main__":
    main()
