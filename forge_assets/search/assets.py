"""search_results: short real trainings of the teacher, the best of them raced, and what was chosen and why."""

from typing import TYPE_CHECKING

import dagster as dg

from forge_assets.search.figures.figure_set import as_markdown, pictures
from forge_assets.search.result import SearchResult
from forge_assets.training.asset_support import job_runner
from forge_assets.training.jobs.spec import CODE_VERSION
from forge_assets.training.made_from import made_now
from forge_resources.forge import Forge
from forge_resources.launchers.base import Launcher
from forge_resources.presentation.markdown import markdown
from forge_resources.storage.table_metadata import row_counts, table_metadata

if TYPE_CHECKING:
    import optuna

    from forge_assets.search.study.progress import Progress

SHOWN = ("trial", "phase", "status", "score", "standard_error", "ran", "guard", "seconds")


@dg.asset(
    deps=["warehouse"],
    group_name="search",
    kinds={"pytorch", "optuna"},
    owners=["team:ml-engineering"],
    tags={"stage": "training"},
    code_version=str(CODE_VERSION),
    metadata=table_metadata("search.trials"),
)
def search_results(context: dg.AssetExecutionContext, forge: Forge, launcher: Launcher) -> dg.MaterializeResult:  # type: ignore[type-arg]
    """Search over the profile's space; every trial is a row of `search.trials`, from its first moment on."""
    # Optuna and SciPy take a second to import, and only a search needs them.
    from forge_assets.search.selection.choice import choose
    from forge_assets.search.study.context import Setting
    from forge_assets.search.study.loop import run_trials, study_of
    from forge_assets.search.study.progress import progress
    from forge_assets.search.study.record import RAN, answers_table, trials_table
    from forge_assets.search.study.wandb_runs import WandbRuns

    made_from = made_now(forge)
    setting = Setting.of(forge, job_runner(context, forge, launcher))
    runs = WandbRuns(launcher.wandb_mode, setting)
    context.log.info(f"study {setting.name} in {setting.url}")

    def changed(study: "optuna.Study", number: int) -> None:
        trials = study.get_trials(deepcopy=False)
        forge.store.write("search.trials", trials_table(setting.name, trials, setting.space))
        forge.store.write("search.answers", answers_table(trials))
        now = progress(study, number, setting.profile.search.trials, setting.profile.search.parallel)
        context.log.info(_said(now))
        if now.status != "running":
            runs.write(trials[number])
            context.log_event(dg.AssetObservation(context.asset_key, description=_said(now), metadata=_figures(now)))

    run_trials(setting, changed, launcher.cancel)
    trials = study_of(setting).get_trials(deepcopy=False)
    table = trials_table(setting.name, trials, setting.space)
    forge.store.write("search.trials", table)
    choice = choose(setting, trials)
    forge.store.write("search.answers", choice.answers)
    runs.wait()
    found, chosen = choice.verdict, setting.runner.run(choice.job, f"trial {choice.verdict.winner}")
    forge.save(
        SearchResult(
            made_from=made_from,
            jobs=(*(identity for identity in table["job"] if identity), *setting.runner.asked),
            job=choice.job,
            dataset=setting.dataset,
            study=setting.name,
            chosen=found.winner,
            sentence=found.sentence,
            importances=choice.importances,
        )
    )
    context.log.info(found.sentence)
    scenarios = dict(setting.sets.select("sample_id", "scenario_id").iter_rows())
    shown = pictures(table, choice.answers, choice.importances, setting.memory_budget_bytes, found.winner, scenarios)
    return dg.MaterializeResult(
        metadata=row_counts("search.trials", {"search.trials": table.height, "search.answers": choice.answers.height})
        | {
            "choice": found.sentence,
            "score": found.score.value,
            "score, low": found.score.low,
            "score, high": found.score.high,
            "configuration": dg.MetadataValue.json(trials[found.winner].user_attrs[RAN]),
            "rows_left_out": chosen.record["rows_left_out"],
            "study": f"{setting.name} in {setting.url}",
            **{title: dg.MetadataValue.md(as_markdown(picture)) for title, picture in shown.items()},
            "trials": dg.MetadataValue.md(markdown(table.select(SHOWN))),
        }
    )


def _said(now: "Progress") -> str:
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
