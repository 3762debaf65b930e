"""The miniature is the same model wherever it is made: jobs on it keep their identity."""

from __future__ import annotations

from pathlib import Path

from forge_assets.training.tiny import build


def test_the_same_texts_give_the_same_model(tmp_path: Path, tiny_model: Path) -> None:
    build(tmp_path, [Path(__file__).parents[2] / "LICENSE"], layers=4, hidden=64)
    for name in ("model.safetensors", "tokenizer.json", "config.json"):
        assert (tmp_path / name).read_bytes() == (tiny_model / name).read_bytes()


def test_the_tokenizer_gives_law_back_as_it_was_written(tiny_model: Path) -> None:
    from forge_assets.training.weights import load_tokenizer

    tokenizer = load_tokenizer(tiny_model)
    for text in ("§ 87 Abs. 1 Nr. 6 BetrVG", "artículo 51.2 — Größe", "art. L. 2312-38 C. trav.\n"):
        assert tokenizer.decode(tokenizer(text).input_ids) == text
