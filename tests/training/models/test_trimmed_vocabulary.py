"""A base model with fewer tokens writes what it is taught as before, reads any text, and answers as it did."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from forge_assets.training.jobs.spec import VocabularyJob
from forge_assets.training.models.loading import load_model, load_tokenizer
from forge_assets.training.models.miniature import FAMILIES, build
from tests.training.job_runs import BASE, Broken, Runs, Workers

TEXT = Path(__file__).parents[3] / "LICENSE"
WORDS = ["Licensor", " Licensor", " Contribution", " perpetual", "Betriebsrat", " §"]
FOREIGN = [
    "Grüß Gott, § 87 Abs. 1 Nr. 6 BetrVG",
    "Ο νόμος 4808/2021",
    "законът 法 🙂",
    "line\n\n  two\ttabs",
    "x" * 300,
]


def trimmed(runs: Runs, merges: int = 40) -> Path:
    rows = runs.jobs.dataset([{"text": word} for word in WORDS])
    return runs.run(VocabularyJob(base=BASE, words=rows, merges=merges)).result / "model"


@pytest.mark.parametrize(
    "family", [pytest.param(f, marks=pytest.mark.slow if f in ("qwen3", "gemma3") else ()) for f in FAMILIES]
)
def test_words_that_are_kept_give_the_same_numbers_and_every_text_comes_back(
    tmp_path: Path, workers: Workers, family: str
) -> None:
    build(tmp_path / family, [TEXT], layers=2, hidden=64, family=family)
    runs = Runs(tmp_path / "data", tmp_path / family, workers)
    folder = trimmed(runs)
    before, after = load_tokenizer(runs.model), load_tokenizer(folder)
    assert len(after) < len(before)
    models = [load_model(path, "float32", "none") for path in (runs.model, folder)]
    assert models[1].config.vocab_size % 64 == 0
    assert models[1].num_parameters() < models[0].num_parameters()
    question = [{"role": "user", "content": "Licensor perpetual Contribution"}]
    ids = [
        tokenizer.apply_chat_template(question, add_generation_prompt=True, return_tensors="pt")["input_ids"]
        for tokenizer in (before, after)
    ]
    shown = [t.convert_ids_to_tokens(i[0].tolist()) for t, i in zip((before, after), ids, strict=True)]
    if shown[0] == shown[1]:
        with torch.inference_mode():
            logits = [model(i).logits[0, -1] for model, i in zip(models, ids, strict=True)]
        same = torch.tensor([before.convert_tokens_to_ids(after.convert_ids_to_tokens(i)) for i in range(len(after))])
        torch.testing.assert_close(logits[1][: len(after)], logits[0][same])
    for word in WORDS:
        old, new = (t(word, add_special_tokens=False).input_ids for t in (before, after))
        assert before.convert_ids_to_tokens(old) == after.convert_ids_to_tokens(new)
    for text in FOREIGN:
        assert after.decode(after(text, add_special_tokens=False).input_ids) == text
    for name in ("bos_token", "eos_token", "pad_token"):
        assert getattr(after, name) == getattr(before, name)
    ends = [t.convert_ids_to_tokens(m.config.eos_token_id) for t, m in zip((before, after), models, strict=True)]
    assert ends[0] == ends[1]


def test_a_tokenizer_of_another_kind_is_refused_with_what_to_leave_out(tmp_path: Path, workers: Workers) -> None:
    build(tmp_path / "llama", [TEXT], layers=2, hidden=64, family="llama")
    runs = Runs(tmp_path / "data", tmp_path / "llama", workers)
    path = runs.model / "tokenizer.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"model": {"type": "WordLevel", "vocab": {}}}))
    with pytest.raises(Broken, match="no byte-pair tokenizer.*leave out `vocabulary`"):
        trimmed(runs)
