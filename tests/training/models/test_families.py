"""Every family of models learns the answer and its end, is asked as it was taught, and answers in plain text."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from forge_assets.training.jobs.spec import Batching, Probe, Sampling, SftJob
from forge_assets.training.models.miniature import FAMILIES, WINDOW, build
from tests.training.job_runs import BASE, Broken, Runs, Workers

TEXT = Path(__file__).parents[3] / "LICENSE"
DIGEST = "a" * 64

ROWS = [
    {
        "sample_id": str(number),
        "prompt": [{"role": "system", "content": "Law."}, {"role": "user", "content": question}],
        "completion": [{"role": "assistant", "content": answer}],
    }
    for number, (question, answer) in enumerate(
        [
            ("Müller GmbH introduces monitoring. What is owed?", "§ 87 Abs. 1 Nr. 6 BetrVG: co-determination"),
            ("And at Wien AG?", "Nothing.\n\n## Sources\n- § 96a ArbVG"),
        ]
    )
]

LONGER = [{**ROWS[0], "completion": [{"role": "assistant", "content": "§ 87 BetrVG " * n}]} for n in (1, 3, 4, 7, 12)]
"""Rows of five lengths."""

Models = Callable[[str], Path]


@pytest.fixture(scope="session")
def models(tmp_path_factory: pytest.TempPathFactory) -> Models:
    """The miniature of a family, made when it is first asked for."""
    root = tmp_path_factory.mktemp("families")

    def model(family: str) -> Path:
        if not (root / family).exists():
            build(root / family, [TEXT], layers=2, hidden=64, family=family)
        return root / family

    return model


@pytest.fixture
def runner(models: Models, tmp_path: Path, workers: Workers) -> Callable[[str], Runs]:
    return lambda family: Runs(tmp_path, models(family), workers)


def _job(**changes: Any) -> SftJob:
    given: dict[str, Any] = {
        "base": DIGEST, "dataset": DIGEST, "lora": None, "learning_rate": 1e-2, "scheduler": "constant",
        "warmup_ratio": 0, "batch_size": 2, "steps": 40, "checkpoint_every": 100,
    }  # fmt: skip
    return SftJob(**given | changes)


def _trainer(kind: str, model: Path, folder: Path) -> Any:
    from datasets import Dataset
    from trl import SFTConfig, SFTTrainer

    from forge_assets.training.models.loading import load_model, load_tokenizer
    from forge_assets.training.trainers.arguments import common_arguments
    from forge_assets.training.trainers.sft import _arguments
    from forge_assets.training.trainers.sft_trainer import CompletionTrainer

    job = _job()
    given = {
        "model": load_model(model, "float32", "none"),
        "train_dataset": Dataset.from_list([{k: row[k] for k in ("prompt", "completion")} for row in ROWS]),
        "processing_class": load_tokenizer(model),
    }
    if kind == "ours":
        return CompletionTrainer(args=_arguments(job, folder), **given)
    return SFTTrainer(args=SFTConfig(**common_arguments(job, folder, cuda=False), max_length=job.max_length), **given)


@pytest.mark.parametrize("family", FAMILIES)
def test_a_family_sees_the_request_and_learns_the_answer_and_its_end(
    models: Models, tmp_path: Path, family: str
) -> None:
    from forge_assets.training.inference.generate import stop_tokens

    trainer = _trainer("ours", models(family), tmp_path)
    tokenizer = trainer.processing_class
    stops = stop_tokens(trainer.model, tokenizer)
    for row, ids, labels in zip(ROWS, *(trainer.train_dataset[name] for name in ("input_ids", "labels")), strict=True):
        asked = tokenizer.apply_chat_template(row["prompt"], tokenize=False, add_generation_prompt=True)
        learned = [token for token in labels if token != -100]
        seen = len(ids) - len(learned)
        assert learned == ids[seen:]
        assert tokenizer.decode(ids[:seen]) == asked, "generation asks as training shows"
        assert tokenizer(asked, add_special_tokens=False).input_ids == ids[:seen]
        end = next(place for place, token in enumerate(learned) if token in stops)
        assert tokenizer.decode(learned[:end]) == row["completion"][0]["content"]
        assert tokenizer.decode(learned[end]) == tokenizer.eos_token
        assert tokenizer.decode(learned[end + 1 :]) in ("", "\n")


@pytest.mark.parametrize("batching", ["rows", "packed"])
@pytest.mark.parametrize("family", FAMILIES)
def test_a_family_is_taught_the_rows_that_fit_each_to_its_end(
    models: Models, tmp_path: Path, family: str, batching: Batching
) -> None:
    """Seen where TRL hands them to the model: neither it nor its packing cuts a row."""
    from datasets import Dataset

    from forge_assets.training.models.fitting_rows import fitting, row_tokens
    from forge_assets.training.models.loading import load_model, load_tokenizer
    from forge_assets.training.runtime.progress import Progress
    from forge_assets.training.trainers.sft import _arguments
    from forge_assets.training.trainers.sft_trainer import CompletionTrainer

    tokenizer, model = load_tokenizer(models(family)), load_model(models(family), "float32", "none")
    whole = [row_tokens(tokenizer, row) for row in LONGER]
    lengths = sorted(map(len, whole))
    assert len(set(lengths)) == len(lengths)
    for most in (lengths[0], lengths[2] - 1, lengths[2], lengths[-1], 2 * lengths[-1]):
        rows, _ = fitting(tokenizer, LONGER, most, Progress(tmp_path, None))
        trainer = CompletionTrainer(
            model=model,
            args=_arguments(_job(max_length=most, batching=batching), tmp_path),
            train_dataset=Dataset.from_list([{name: row[name] for name in ("prompt", "completion")} for row in rows]),
            processing_class=tokenizer,
        )
        seen = [row for i in range(len(trainer.train_dataset)) for row in _rows(trainer, trainer.train_dataset[i])]
        assert sorted(ids for ids, _ in seen) == sorted(ids for ids in whole if len(ids) <= most)
        for ids, labels in seen:
            assert tokenizer.decode(ids[ids.index(tokenizer.eos_token_id, -2) + 1 :]) in ("", "\n")
            assert labels[-2:] == ids[-2:], "the end mark is learned"


def _rows(trainer: Any, example: Any) -> list[tuple[list[int], list[int]]]:
    """Tokens and labels of each row of an example, as the collator marks where rows begin."""
    batch = trainer.data_collator([example])
    lengths = batch["cu_seq_lens_q"].diff().tolist()
    ids, labels = (batch[name][0].split(lengths) for name in ("input_ids", "labels"))
    return [(one.tolist(), learned.tolist()) for one, learned in zip(ids, labels, strict=True)]


@pytest.mark.parametrize("family", FAMILIES)
def test_a_familys_loss_and_gradients_are_those_of_trl(models: Models, tmp_path: Path, family: str) -> None:
    import torch

    found = []
    for kind in ("ours", "trl"):
        trainer = _trainer(kind, models(family), tmp_path)
        assert all(len(ids) > WINDOW for ids in trainer.train_dataset["input_ids"])
        trainer.model.train()
        batch = trainer.data_collator([trainer.train_dataset[i] for i in range(len(ROWS))])
        loss = trainer.compute_loss(trainer.model, batch)
        loss.backward()
        found.append((loss.item(), {name: weight.grad for name, weight in trainer.model.named_parameters()}))
    (ours, gradients), (theirs, expected) = found
    assert ours == pytest.approx(theirs, rel=1e-5)
    for name, gradient in gradients.items():
        torch.testing.assert_close(gradient, expected[name], msg=name)


@pytest.mark.parametrize("family", FAMILIES)
def test_a_family_answers_with_the_text_it_learned_and_nothing_else(runner: Callable[[str], Runs], family: str) -> None:
    here = runner(family)
    data = here.jobs.dataset(ROWS)
    probe = Probe(prompts=data, sampling=Sampling(max_new_tokens=80, batch_size=2))
    done = here.run(_job(base=BASE, dataset=data, probe=probe))
    assert [answer["answer"] for answer in done.answers()] == [row["completion"][0]["content"] for row in ROWS]
    assert done.record["new_tokens"] < 2 * 80, "it stopped by itself"


def test_a_template_that_answers_otherwise_than_it_asks_is_refused(models: Models, tmp_path: Path) -> None:
    from forge_assets.training.models.chat_template import settle
    from forge_assets.training.models.loading import load_tokenizer

    tokenizer = load_tokenizer(models("llama"))
    ask = "{% if add_generation_prompt %}<|im_start|>model{% endif %}"
    given = "{% for m in messages %}<|im_start|>{{ m['role'] }} {{ m['content'] }}<|im_end|>{% endfor %}"
    tokenizer.chat_template = given + ask
    with pytest.raises(ValueError, match="chat template renders .* mend chat_template.jinja"):
        settle(tokenizer, tmp_path)
    tokenizer.chat_template = given.replace("<|im_end|>", "\n") + ask.replace("model", "assistant ")
    with pytest.raises(ValueError, match="would not know when to stop"):
        settle(tokenizer, tmp_path)


def test_completions_that_the_template_takes_for_thoughts_are_refused(runner: Callable[[str], Runs]) -> None:
    here = runner("qwen3")
    rows = [{**ROWS[0], "completion": [{"role": "assistant", "content": "<think>\nHm.\n</think>\n\n§ 87"}]}]
    with pytest.raises(Broken, match="chat template: a prompt ends .* take out of the completions"):
        here.run(_job(base=BASE, dataset=here.jobs.dataset(rows)))


def test_a_prompt_is_the_same_on_every_day(models: Models, monkeypatch: pytest.MonkeyPatch) -> None:
    from forge_assets.training.models.loading import load_tokenizer

    tokenizer = load_tokenizer(models("gpt_oss"))
    asked = tokenizer.apply_chat_template(ROWS[0]["prompt"], tokenize=False, add_generation_prompt=True)
    assert "Current date: 2026-01-01" in asked


def test_a_settled_template_is_kept_with_the_model_and_stays(models: Models, tmp_path: Path) -> None:
    from forge_assets.training.models.loading import load_tokenizer

    for family in FAMILIES:
        once = load_tokenizer(models(family))
        once.save_pretrained(tmp_path / family)
        again = load_tokenizer(tmp_path / family)
        assert (again.chat_template, again.eos_token) == (once.chat_template, once.eos_token)
        plain = (models(family) / "chat_template.jinja").read_text("utf-8")
        assert (once.chat_template == plain) == (family in ("llama", "gemma3"))
