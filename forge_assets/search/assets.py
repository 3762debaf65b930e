"""search_results: short real trainings of the teacher, scored on the validation set, and the best configuration."""

import dagster as dg
import polars as pl

from forge_assets.scenarios.sets import prompt_rows, training_rows
from forge_assets.scoring.score import METRICS
from forge_assets.search.guard import guard
from forge_assets.search.strategy import phase_of, propose
from forge_assets.search.trials import Trial, best, teacher_job, trials_table
from forge_assets.training.job import Probe
from forge_assets.training.jobs import Jobs
from forge_assets.training.placement import machine
from forge_assets.training.shapes import Shape
from forge_assets.training.stage import drawn_sets, greedy, job_desk, mean_score, placed, scored
from forge_resources.forge import Forge
from forge_resources.launcher import JobFailed, Launcher
from forge_resources.markdown import markdown


@dg.asset(deps=["warehouse"], group_name="search", kinds={"pytorch"})
def search_results(context: dg.AssetExecutionContext, forge: Forge, launcher: Launcher) -> dg.MaterializeResult:  # type: ignore[type-arg]
    """Three-phase search over the profile's space; every trial is a row of `search.trials`."""
    desk, sets, search = job_desk(context, forge, launcher), drawn_sets(forge), forge.profile.search
    dataset = desk.dataset(training_rows(sets))
    probe = Probe(prompts=desk.dataset(prompt_rows(sets, "validation")), sampling=greedy(forge))
    trials: list[Trial] = []
    while len(trials) < search.trials:
        trials.append(_trial(context, forge, desk, sets, dataset, probe, trials))
        forge.store.write("search.trials", trials_table(trials))
    chosen = best(trials)
    forge.remember("search_results", {"job": chosen.job.model_dump(mode="json"), "dataset": dataset})
    table = trials_table(trials).select("trial", "phase", "score", "ran", "guard", "seconds")
    return dg.MaterializeResult(
        metadata={
            "best score": (chosen.scores or {})["composite"],
            "best configuration": dg.MetadataValue.json(chosen.ran),
            "trials": dg.MetadataValue.md(markdown(table)),
        }
    )


def _trial(
    context: dg.AssetExecutionContext,
    forge: Forge,
    desk: Jobs,
    sets: pl.DataFrame,
    dataset: str,
    probe: Probe,
    before: list[Trial],
) -> Trial:
    profile = placed(forge)
    index = len(before)
    asked = propose(profile.search.space, [t.seen for t in before], profile.search.trials, profile.seed)
    base = forge.models.ensure(profile.teacher.model)
    wanted = teacher_job(profile, asked, base.digest, dataset, profile.search.steps, probe)
    allowed = guard(wanted, Shape.of(base.path), machine(profile.hardware.row), profile.hardware.memory_gb * 1e9)
    phase = phase_of(index, profile.search.trials)
    context.log.info(f"trial {index + 1}/{profile.search.trials} ({phase}): {asked} {'; '.join(allowed.interventions)}")
    try:
        done = desk.run(allowed.job, f"trial {index}")
    except JobFailed as error:
        context.log.warning(f"trial {index} failed: {error}")
        return Trial(
            phase, asked, allowed.job, allowed.interventions, allowed.predicted_bytes, None, {}, status=str(error)[:200]
        )
    _, scores = scored(forge, {"trial": done}, sets.filter(pl.col("role") == "validation"))
    parts = {metric: mean_score(scores, "trial", metric) for metric in METRICS}
    context.log.info(f"trial {index + 1}: composite {parts['composite']:.3f}")
    return Trial(phase, asked, allowed.job, allowed.interventions, allowed.predicted_bytes, parts, dict(done.record))
