"""What Dagster shows of a job while it runs: a real run, a real worker, the instance's event log."""

# No postponed annotations here: Dagster reads those of the asset.

import itertools
from pathlib import Path

import dagster as dg
import pytest

from forge_assets.training.jobs.runner import JobRunner
from forge_assets.training.jobs.spec import SftJob
from forge_resources.launchers import observations
from forge_resources.launchers.local import LocalLauncher
from forge_resources.storage.store import Store

BASE = "b" * 64
STEPS = 40
ROWS = [
    {
        "prompt": [{"role": "user", "content": f"What does § {number} BetrVG say?"}],
        "completion": [{"role": "assistant", "content": f"§ {number} BetrVG: the works council has a say."}],
    }
    for number in range(8)
]


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory, tiny_model: Path) -> tuple[list[dg.EventLogEntry], Path]:
    """Events of an asset that trains, and the training's folder."""
    root = tmp_path_factory.mktemp("data")
    folders: list[Path] = []

    @dg.asset
    def adapter(context: dg.AssetExecutionContext, launcher: LocalLauncher) -> dg.MaterializeResult:  # type: ignore[type-arg]
        runner = JobRunner(Store(root), "e" * 64, {BASE: tiny_model}, lambda folder: launcher.run(context, folder))
        job = SftJob(base=BASE, dataset=runner.dataset(ROWS), lora=None, learning_rate=1e-3, batch_size=2, steps=STEPS)
        for _ in range(2):  # the second time there is nothing to run and nothing to see
            folders.append(runner.run(job, "the tiny teacher").result.parent)
        return dg.MaterializeResult()

    with pytest.MonkeyPatch.context() as patch, dg.DagsterInstance.ephemeral() as instance:
        patch.setenv("OMP_NUM_THREADS", "1")
        patch.setattr(observations, "LOOK_SECONDS", 0.02)
        patch.setattr(observations, "PERIOD_SECONDS", 0.0)
        done = dg.materialize([adapter], instance=instance, resources={"launcher": LocalLauncher()})
        seen = (dg.DagsterEventType.ASSET_OBSERVATION, dg.DagsterEventType.ASSET_MATERIALIZATION)
        events = instance.all_logs(done.run_id, of_type=set(seen))
    return events, folders[0]


def _observed(events: list[dg.EventLogEntry]) -> list[dg.AssetObservation]:
    found = [event.dagster_event for event in events]
    return [event.asset_observation_data.asset_observation for event in found if event and event.is_asset_observation]


def test_observations_come_while_the_job_runs_and_before_the_asset_is_made(
    ran: tuple[list[dg.EventLogEntry], Path],
) -> None:
    events, _ = ran
    assert len(_observed(events)) == len(events) - 1 >= 3
    assert events[-1].dagster_event is not None and events[-1].dagster_event.is_step_materialization
    assert all(observed.asset_key == dg.AssetKey("adapter") for observed in _observed(events))


def test_an_observation_says_how_far_the_job_is_and_how_it_gets_on(ran: tuple[list[dg.EventLogEntry], Path]) -> None:
    events, folder = ran
    observed = _observed(events)
    assert {o.description for o in observed} == {f"the tiny teacher, job {folder.name[:12]}"}
    shown = [{name: value.value for name, value in o.metadata.items()} for o in observed]
    steps = [int(values["step"]) for values in shown]
    assert steps == sorted(steps) and steps[-1] == STEPS
    assert all(later - earlier >= 4 for earlier, later in itertools.pairwise(steps[:-1]))
    for values in shown:
        assert values["of steps"] == STEPS
        assert values["loss"] > 0 and values["tokens per second"] > 0 and values["resident bytes"] > 1e8
    assert shown[-2]["seconds left"] >= shown[-1]["seconds left"] == 0


def test_a_training_leaves_its_wandb_run_in_its_folder(ran: tuple[list[dg.EventLogEntry], Path]) -> None:
    _, folder = ran
    [file] = folder.glob("wandb/offline-run-*/*.wandb")
    assert file.name == f"run-{folder.name[:16]}.wandb"
    assert b"step_seconds" in file.read_bytes()
