"""Open an Optuna study that survives its processes, and claim its trials, abandoned ones first.

A trial that is under way is held by a lock file; the operating system lets go of it when its process dies, however
that happens. So a trial whose lock is free was left behind, and whoever comes next goes on with it, not with a new one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from filelock import FileLock, Timeout

from forge_resources.storage.locks import locked

if TYPE_CHECKING:
    import optuna

BUSY_SECONDS = 60
"""How long one process may wait for another to finish writing to a SQLite file."""


def open_study(
    url: str,
    name: str,
    sampler: optuna.samplers.BaseSampler | None = None,
    pruner: optuna.pruners.BasePruner | None = None,
) -> optuna.Study:
    """Open the study of that name; create it where it does not exist. Scores are maximised.

    Args:
        url: SQLAlchemy's, as in sqlite:///folder/studies.db.
    """
    import optuna

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    file = _sqlite_file(url)
    options = {"connect_args": {"timeout": BUSY_SECONDS}} if file else {}
    with _first(file):
        storage = optuna.storages.RDBStorage(url, engine_kwargs=options)
        return optuna.create_study(
            study_name=name, storage=storage, sampler=sampler, pruner=pruner, direction="maximize", load_if_exists=True
        )


def _sqlite_file(url: str) -> Path | None:
    """The file of a SQLite storage; None for other storages."""
    from sqlalchemy import make_url

    parsed = make_url(url)
    return Path(parsed.database) if parsed.get_backend_name() == "sqlite" and parsed.database else None


@contextmanager
def _first(file: Path | None) -> Iterator[None]:
    """One at a time: of two that begin at once, Optuna lets only one make the tables of a SQLite file."""
    if file is None:
        yield
        return
    file.parent.mkdir(parents=True, exist_ok=True)
    with locked(file.with_suffix(".lock")):
        yield


@contextmanager
def claim_trial(
    study: optuna.Study, folder: Path, trials: int, sampler: Callable[[int], optuna.samplers.BaseSampler]
) -> Iterator[optuna.Trial | None]:
    """Claim a trial: the first that was abandoned, else a new one while there are fewer than `trials`.

    None where others hold all that is left to do, or nothing is.

    Args:
        folder: for lock files, the same for every process of the search.
        sampler: of the trial of a number, so that what it draws does not hang on how often a process was started.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with locked(folder / "study.lock"):
        trial, lock = _take(study, folder, trials, sampler)
    try:
        yield trial
    finally:
        if lock is not None:
            lock.release()


def has_running_trial(study: optuna.Study) -> bool:
    """Test whether a trial is running, or was abandoned."""
    from optuna.trial import TrialState

    return any(trial.state == TrialState.RUNNING for trial in study.get_trials(deepcopy=False))


def _take(
    study: optuna.Study, folder: Path, trials: int, sampler: Callable[[int], optuna.samplers.BaseSampler]
) -> tuple[optuna.Trial | None, FileLock | None]:
    import optuna

    known = study.get_trials(deepcopy=False)
    for left in known:
        if left.state == optuna.trial.TrialState.RUNNING:
            lock = _lock(folder, left.number)
            if lock is None:
                continue
            if study._storage.get_trial(left._trial_id).state.is_finished():  # since the trials were read
                lock.release()
                continue
            study.sampler = sampler(left.number)
            return optuna.Trial(study, left._trial_id), lock
    if len(known) >= trials:
        return None, None
    study.sampler = sampler(len(known))
    trial = study.ask()
    return trial, _lock(folder, trial.number)


def _lock(folder: Path, number: int) -> FileLock | None:
    """Take the lock of a trial; None where another holds it."""
    lock = locked(folder / f"trial-{number}.lock", wait=False)
    try:
        lock.acquire()
    except Timeout:
        return None
    return lock
