"""Runners of real workers, shared by the tests of all kinds of jobs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.training.job_runs import Runs, Workers


@pytest.fixture(scope="session")
def workers() -> Iterator[Workers]:
    found = Workers()
    yield found
    found.close()


@pytest.fixture(scope="session")
def undisturbed(tmp_path_factory: pytest.TempPathFactory, tiny_model: Path, workers: Workers) -> Runs:
    """A runner whose jobs nobody disturbs; what one test ran, others share."""
    return Runs(tmp_path_factory.mktemp("undisturbed"), tiny_model, workers)


@pytest.fixture
def disturbed(tmp_path: Path, tiny_model: Path, workers: Workers) -> Runs:
    """A runner of this test alone."""
    return Runs(tmp_path, tiny_model, workers)
