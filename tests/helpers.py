"""Break one thing in a copy of a file, make a training job, read a model's shape: for tests of several rooms;
and put cases into the two tiers of tests."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from forge_assets.training.jobs.spec import Lora, SftJob
from forge_assets.training.planning.model_shape import Shape
from forge_resources.config.model_registry import ModelLibrary

DIGEST = "a" * 64
"""Stands for the digest of a model or data set where nothing is read."""


def edit_copy(source: Path, target: Path, old: str, new: str) -> int:
    """Write a text file with its first `old` replaced, which must be there; give the line on which it stood."""
    text = source.read_text("utf-8")
    assert old in text, f"{source} has no {old!r}"
    target.write_text(text.replace(old, new, 1), "utf-8")
    return text[: text.index(old)].count("\n") + 1


def sft_job(**changes: Any) -> SftJob:
    """A LoRA training of the smallest sizes, with changes."""
    defaults: dict[str, Any] = {
        "base": DIGEST, "dataset": DIGEST, "lora": Lora(rank=16, alpha=16), "learning_rate": 1e-3,
        "batch_size": 4, "steps": 10, "max_length": 256,
    }  # fmt: skip
    return SftJob(**defaults | changes)


def shape_of(model: str) -> Shape:
    """The shape of a model of the registry, from the configuration that it is shipped with."""
    return Shape.parse(ModelLibrary(Path("nowhere")).config(model))


def tiered(values: Iterable[Any], witnesses: int = 1) -> list[Any]:
    """Mark cases for `parametrize`: the first ones stay in the default tier, the others are of the second."""
    return [value if at < witnesses else pytest.param(value, marks=pytest.mark.slow) for at, value in enumerate(values)]
