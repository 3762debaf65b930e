"""What the loss is computed on: the completion and its end mark, whatever the prompts of the batch look like."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from forge_assets.training.jobs.spec import SftJob

ROWS = [
    {
        "prompt": [{"role": "system", "content": "Law."}, {"role": "user", "content": question}],
        "completion": [{"role": "assistant", "content": answer}],
    }
    for question, answer in (
        ("Müller GmbH introduces monitoring. What is owed?", "§ 87 Abs. 1 Nr. 6 BetrVG: co-determination"),
        ("And at Wien AG?", "§ 96a ArbVG"),
        ("A long question about an employer that plans to dismiss 30 of 90 employees in Berlin", "§ 17 KSchG"),
    )
]


@pytest.fixture
def trainers(tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Any, Any]:
    """Our trainer and TRL's own, on the same model and rows."""
    monkeypatch.setenv("WANDB_MODE", "disabled")
    from datasets import Dataset
    from trl import SFTConfig, SFTTrainer

    from forge_assets.training.models.loading import load_model, load_tokenizer
    from forge_assets.training.trainers.arguments import common_arguments
    from forge_assets.training.trainers.sft import _arguments
    from forge_assets.training.trainers.sft_trainer import CompletionTrainer

    digest = "a" * 64
    job = SftJob(base=digest, dataset=digest, lora=None, learning_rate=1e-3, batch_size=3, steps=1)

    def given() -> dict[str, Any]:
        return {
            "model": load_model(tiny_model, "float32", "none"),
            "train_dataset": Dataset.from_list(ROWS),
            "processing_class": load_tokenizer(tiny_model),
        }

    ours = CompletionTrainer(args=_arguments(job, tmp_path), **given())
    padded = SFTConfig(**common_arguments(job, tmp_path, cuda=False), max_length=job.max_length)
    return ours, SFTTrainer(args=padded, **given())


def _batch(trainer: Any) -> Any:
    return trainer.data_collator([trainer.train_dataset[i] for i in range(len(ROWS))])


def test_only_completions_and_their_end_marks_are_learned(trainers: tuple[Any, Any]) -> None:
    ours, _ = trainers
    batch = _batch(ours)
    rows = batch["labels"][0].split(batch["cu_seq_lens_q"].diff().tolist())
    learned = [ours.processing_class.decode(row[row != -100]) for row in rows]
    assert learned == [f"{row['completion'][0]['content']}<|im_end|>\n" for row in ROWS]


def test_the_prompt_is_seen_whole_and_as_the_chat_template_says(trainers: tuple[Any, Any]) -> None:
    ours, _ = trainers
    tokenizer = ours.processing_class
    for row, seen in zip(ROWS, ours.train_dataset["input_ids"], strict=True):
        whole = tokenizer.apply_chat_template(row["prompt"] + row["completion"], tokenize=False)
        assert tokenizer.decode(seen) == whole


def test_loss_and_gradients_are_those_of_trl(trainers: tuple[Any, Any]) -> None:
    import torch

    losses, gradients = [], []
    for trainer in trainers:
        batch = _batch(trainer)
        for counted in (None, torch.tensor(40)):
            trainer.model.train()
            trainer.model.zero_grad()
            loss = trainer.compute_loss(trainer.model, {**batch}, num_items_in_batch=counted)
            loss.backward()
            losses.append(loss.item())
            gradients.append({name: weight.grad for name, weight in trainer.model.named_parameters()})
    assert losses[:2] == pytest.approx(losses[2:], rel=1e-5)
    assert losses[0] != pytest.approx(losses[1])
    for ours, theirs in zip(gradients[:2], gradients[2:], strict=True):
        for name, gradient in ours.items():
            torch.testing.assert_close(gradient, theirs[name], msg=name)


@pytest.mark.parametrize("family", ["llama", "qwen3", "gemma3", "gpt_oss"])
def test_a_row_that_is_learned_ends_with_the_mark_that_ends_answers(tmp_path: Path, family: str) -> None:
    """At every length: what does not fit is left out, what fits is whole."""
    from forge_assets.training.models.fitting_rows import fitting, row_tokens
    from forge_assets.training.models.loading import load_tokenizer
    from forge_assets.training.models.miniature import build
    from forge_assets.training.runtime.progress import Progress

    build(tmp_path / "model", [Path(__file__).parents[3] / "LICENSE"], layers=2, hidden=32, family=family)
    tokenizer, progress = load_tokenizer(tmp_path / "model"), Progress(tmp_path, None)
    lengths = sorted(len(row_tokens(tokenizer, row)) for row in ROWS)
    for most in (*lengths, lengths[0] + 1, lengths[-1] + 100):
        kept, left_out = fitting(tokenizer, ROWS, most, progress)
        assert (len(kept), left_out) == (sum(n <= most for n in lengths), sum(n > most for n in lengths))
        assert all(tokenizer.eos_token_id in row_tokens(tokenizer, row)[-2:] for row in kept)
    with pytest.raises(ValueError, match=f"all 3 rows are longer than max_length {lengths[0] - 1} tokens"):
        fitting(tokenizer, ROWS, lengths[0] - 1, progress)
