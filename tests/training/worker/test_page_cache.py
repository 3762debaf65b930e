"""Page cache of weights goes back to the machine when a job is over."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from forge_assets.training.worker import page_cache


def _cached(file: Path) -> int:
    """Bytes of the file in the page cache."""
    command = ["fincore", "--bytes", "--noheadings", "--output", "RES", str(file)]
    return int(subprocess.run(command, capture_output=True, encoding="utf-8", check=True).stdout)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A model's folder, its files on the disk and in the page cache."""
    if shutil.which("fincore") is None:
        pytest.skip("fincore, of util-linux, is not here")
    kind = subprocess.run(
        ["stat", "-f", "-c", "%T", str(tmp_path)], capture_output=True, encoding="utf-8", check=True
    ).stdout
    if kind.strip() in ("tmpfs", "ramfs"):
        pytest.skip("the test's folder is memory itself")
    (tmp_path / "adapter").mkdir()
    for name in ("model.safetensors", "adapter/adapter_model.safetensors", "tokenizer.json"):
        (tmp_path / name).write_bytes(os.urandom(1 << 20))
    for file in tmp_path.rglob("*.*"):
        with file.open("rb") as stream:
            os.fsync(stream)
    return tmp_path


def test_weights_leave_the_page_cache_and_stay_on_the_disk(folder: Path) -> None:
    weights = [folder / "model.safetensors", folder / "adapter" / "adapter_model.safetensors"]
    before = [file.read_bytes() for file in weights]
    assert [_cached(file) for file in weights] == [1 << 20] * 2
    page_cache.drop([folder])
    assert [_cached(file) for file in weights] == [0, 0]
    assert _cached(folder / "tokenizer.json") == 1 << 20
    assert [file.read_bytes() for file in weights] == before
