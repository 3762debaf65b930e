"""Define the asset `search_results`: short trainings of the teacher, a race of the best, and the chosen one."""

from typing import TYPE_CHECKING

import dagster as dg

from forge_assets.search.figures.figure_set import as_markdown, pictures
from forge_assets.search.result import SearchResult
from forge_assets.training.asset_support import job_runner
from forge_assets.training.base_models import BaseModels
from forge_assets.training.jobs.spec import CODE_VERSION
from forge_assets.training.made_from import made_with
from forge_resources.forge import Forge
from forge_resources.launchers.base import Launcher
from forge_resources.presentation.markdown import markdown
from forge_resources.storage.table_metadata import row_counts, table_metadata

if TYPE_CHECKING:
    import optuna

    from forge_assets.search.study.progress import Progress

SHOWN = ("trial", "phase", "status", "score", "standard_error", "ran", "guard", "seconds")


@dg.asset(
    deps=["base_models"],
    group_name="search",
    kinds={"pytorch", "optuna"},
    owners=["team:ml-engineering"],
    tags={"stage": "training"},
    code_version=str(CODE_VERSION),
    metadata=table_metadata("search.trials"),
)
def search_results(context: dg.AssetExecutionContext, forge: Forge, launcher: Launcher) -> dg.MaterializeResult:  # type: ignore[type-arg]
    """Search the profile's space; every trial is a row of `search.trials` from its start."""
    # Optuna and SciPy take a second to import, and only a search needs them.
    from forge_assets.search.selection.choice import choose_trial
    from forge_assets.search.study.context import StudyContext
    from forge_assets.search.study.loop import run_trials, study_of
    from forge_assets.search.study.progress import progress
    from forge_assets.search.study.record import APPLIED, answers_table, trials_table
    from forge_assets.search.study.wandb_runs import WandbRuns

    made_from = made_with(forge, forge.load(BaseModels))
    study_context = StudyContext.of(forge, job_runner(context, forge, launcher))
    runs = WandbRuns(launcher.wandb_mode, study_context)
    context.log.info(f"study {study_context.name} in {study_context.url}")

    def changed(study: "optuna.Study", number: int) -> None:
        trials = study.get_trials(deepcopy=False)
        forge.store.write("search.trials", trials_table(study_context.name, trials, study_context.space))
        forge.store.write("search.answers", answers_table(trials))
        now = progress(study, number, study_context.profile.search.trials, study_context.profile.search.parallel)
        context.log.info(_format_progress(now))
        if now.status != "running":
            runs.write(trials[number])
            context.log_event(
                dg.AssetObservation(context.asset_key, description=_format_progress(now), metadata=_figures(now))
            )

    run_trials(study_context, changed, launcher.cancel)
    trials = study_of(study_context).get_trials(deepcopy=False)
    table = trials_table(study_context.name, trials, study_context.space)
    forge.store.write("search.trials", table)
    choice = choose_trial(study_context, trials)
    forge.store.write("search.answers", choice.answers)
    runs.wait()
    found, chosen = choice.verdict, study_context.runner.run(choice.job, f"trial {choice.verdict.winner}")
    forge.save(
        SearchResult(
            made_from=made_from,
            jobs=(*(identity for identity in table["job"] if identity), *study_context.runner.asked),
            job=choice.job,
            dataset=study_context.dataset,
            study=study_context.name,
            chosen=found.winner,
            sentence=found.sentence,
            importances=choice.importances,
        )
    )
    context.log.info(found.sentence)
    scenarios = dict(study_context.sets.select("sample_id", "scenario_id").iter_rows())
    shown = pictures(
        table, choice.answers, choice.importances, study_context.memory_budget_bytes, found.winner, scenarios
    )
    return dg.MaterializeResult(
        metadata=row_counts("search.trials", {"search.trials": table.height, "search.answers": choice.answers.height})
        | {
            "choice": found.sentence,
            "score": found.score.value,
            "score, low": found.score.low,
            "score, high": found.score.high,
            "configuration": dg.MetadataValue.json(trials[found.winner].user_attrs[APPLIED]),
            "rows_left_out": chosen.record["rows_left_out"],
            "study": f"{study_context.name} in {study_context.url}",
            **{title: dg.MetadataValue.md(as_markdown(picture)) for title, picture in shown.items()},
            "trials": dg.MetadataValue.md(markdown(table.select(SHOWN))),
        }
    )


def _format_progress(now: "Progress") -> str:
    best = f"best so far {now.best[0]:.3f} of trial {now.best[1]}" if now.best else "no score yet"
    left = f", some {now.seconds_left / 60:.0f} min left" if now.seconds_left is not None else ""
    return (
        f"trial {now.trial} ({now.phase or 'no phase'}) {now.status}; {now.ended} of {now.trials} ended, {best}{left}"
    )


def _figures(now: "Progress") -> dict[str, float | int | str]:
    figures: dict[str, float | int | str] = {"trial": now.trial, "status": now.status, "ended": now.ended}
    figures |= {"of trials": now.trials, "phase": now.phase}
    if now.best:
        figures |= {"best so far": now.best[0], "best trial": now.best[1]}
    return figures if now.seconds_left is None else {**figures, "seconds left": round(now.seconds_left)}
