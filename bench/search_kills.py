"""A real search killed with SIGKILL again and again: are its proposals those of a search that nobody disturbed?

    FORGE_PROFILE=cpu-search FORGE_DATA=... python -m bench.search_kills --kills 5

Needs the sets of the profile (`forge run` up to `warehouse`). Runs `forge search`, kills it at random moments of
different trials, every second time its worker too, and starts it again. At the end the study is replayed: a sampler
in this process, which was never killed, is told what was known when each trial began and proposes it anew. Other
`forge search` may share the search meanwhile: they take over what a killed one leaves behind.
"""

from __future__ import annotations

import argparse
import json
import random
import signal
import subprocess
import sys
import time
from functools import partial
from pathlib import Path
from typing import Any

import optuna
import psutil
from optuna.trial import FrozenTrial

from forge_assets.search.optimizer.registry import sampler
from forge_assets.search.study.context import StudyContext
from forge_assets.search.study.loop import study_of
from forge_assets.search.study.record import APPLIED, PLAN, facts
from forge_assets.search.study.trial import calibrate_memory_model, predict_applied
from forge_assets.training.jobs.runner import JobRunner
from forge_assets.training.models.makers import MAKERS
from forge_resources.forge import Forge

COMMAND = [sys.executable, "-m", "forge_assets.cli.main", "search"]


def setting_of(forge: Forge) -> StudyContext:
    """The search of the environment, with a runner that trains nothing."""
    base = forge.models.ensure(forge.profile.teacher.model)

    def refuse(folder: Path) -> dict[str, Any]:
        raise RuntimeError(f"a replay trains nothing: {folder}")

    return StudyContext.of(forge, JobRunner(forge.store, forge.environment, {base.digest: base.path}, refuse))


def kill_when(context: StudyContext, process: subprocess.Popen[bytes], trial: int, share: float, worker: bool) -> str:
    """Kill the search in the middle of a trial; says when."""
    study = study_of(context)
    while process.poll() is None:
        trials = study.get_trials(deepcopy=False)
        if len(trials) > trial and "identity" in facts(trials[trial]):
            if trials[trial].state.is_finished():
                trial += 1
                continue
            folder = context.forge.store.artefact(facts(trials[trial])["identity"])
            stream = folder / "metrics.jsonl"
            lines = stream.read_text("utf-8").splitlines() if stream.exists() else []
            step = max((json.loads(line).get("step", 0) for line in lines if line.endswith("}")), default=0)
            if step >= share * context.profile.search.steps:
                below = psutil.Process(process.pid).children(recursive=True)
                process.send_signal(signal.SIGKILL)
                for one in below if worker else []:
                    one.kill()
                process.wait()
                return f"trial {trial} at step {step}" + (", its worker too" if worker else "")
        time.sleep(0.5)
    raise SystemExit("the search was over before it was killed as often as asked: ask for fewer kills")


def replayed(context: StudyContext) -> tuple[int, list[int]]:
    """How many trials were compared, and those whose proposal differs.

    A trial that had not ended when another began, as happens where processes share a search, is pending for that one.
    """
    recorded = study_of(context).get_trials(deepcopy=False)
    search, different = context.profile.search, []
    for trial in recorded:
        before = [_as_of(one, trial) for one in recorded[: trial.number]]
        study = optuna.create_study(direction="maximize")
        study.add_trials(before)
        applied_for = partial(predict_applied, context, calibrate_memory_model(context, before))
        study.sampler = sampler(search.sampler, context.space, search.trials, context.profile.seed, applied_for)
        asked = study.ask()
        if context.space.stored(context.space.suggest(asked)) != trial.params:
            different.append(trial.number)
    return len(recorded), different


def _as_of(trial: FrozenTrial, other: FrozenTrial) -> FrozenTrial:
    """What the storage held of a trial when another one began."""
    assert other.datetime_start is not None
    if trial.datetime_complete is not None and trial.datetime_complete < other.datetime_start:
        return trial
    known = {name: value for name, value in trial.user_attrs.items() if name in (APPLIED, PLAN)}
    return optuna.trial.create_trial(
        state=optuna.trial.TrialState.RUNNING,
        params=trial.params,
        distributions=trial.distributions,
        user_attrs=known,
        system_attrs=trial.system_attrs,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=5)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--replay", action="store_true", help="only replay the search that is there")
    parser.add_argument("--log", type=Path, default=Path("search.log"))
    given = parser.parse_args()
    forge = Forge.from_environment(MAKERS)
    if given.replay:
        given.kills = 0
    context, drawn = setting_of(forge), random.Random(given.seed)
    trials = context.profile.search.trials
    began = time.time()
    with given.log.open("ab") as log:
        for number in range(given.kills):
            process = subprocess.Popen(COMMAND, stdout=log, stderr=log, start_new_session=True)
            victim = (number + 1) * trials // (given.kills + 1)
            said = kill_when(context, process, victim, drawn.random(), worker=number % 2 == 1)
            print(f"kill {number + 1}: {said}, {time.time() - began:.0f} s", flush=True)
        status = 0 if given.replay else subprocess.call(COMMAND, stdout=log, stderr=log)
    if not given.replay:
        print(f"the search ended with status {status} after {time.time() - began:.0f} s")
    count, different = replayed(context)
    if not count:
        parser.error(f"study {context.name} has no trials: it is of other law, profile or constraints.txt than today's")
    print(f"{count} trials, {len(different)} proposals differ from an undisturbed replay: {different}")
    if status or different:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
