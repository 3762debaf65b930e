"""The miniature is the same model wherever it is made: jobs on it keep their identity."""

from __future__ import annotations

from pathlib import Path

import pytest

from forge_assets.training.models.miniature import FAMILIES, build
from forge_resources.config.model_registry import REGISTRY
from forge_resources.config.strict_yaml import read_yaml


def test_the_same_texts_give_the_same_model(tmp_path: Path, tiny_model: Path) -> None:
    build(tmp_path, [Path(__file__).parents[3] / "LICENSE"], layers=4, hidden=64)
    for name in ("model.safetensors", "tokenizer.json", "config.json"):
        assert (tmp_path / name).read_bytes() == (tiny_model / name).read_bytes()


@pytest.mark.parametrize("family", FAMILIES)
def test_each_family_is_the_same_model_wherever_it_is_made(tmp_path: Path, family: str) -> None:
    import torch

    weights = []
    for name in ("here", "there"):
        torch.rand(1)  # whatever was drawn before
        build(tmp_path / name, [Path(__file__).parents[3] / "LICENSE"], layers=2, hidden=32, family=family)
        weights.append((tmp_path / name / "model.safetensors").read_bytes())
    assert weights[0] == weights[1]


def test_every_miniature_of_the_registry_is_of_a_family_that_can_be_made() -> None:
    registry, _ = read_yaml(REGISTRY)
    sources = [entry["source"] for entry in registry.values() if entry["source"]["kind"] == "random"]
    assert {source.get("family", "llama") for source in sources} == set(FAMILIES)


def test_the_tokenizer_gives_law_back_as_it_was_written(tiny_model: Path) -> None:
    from forge_assets.training.models.loading import load_tokenizer

    tokenizer = load_tokenizer(tiny_model)
    for text in ("§ 87 Abs. 1 Nr. 6 BetrVG", "artículo 51.2 — Größe", "art. L. 2312-38 C. trav.\n"):
        assert tokenizer.decode(tokenizer(text).input_ids) == text
