"""LoRA on chosen matrices, the output layer among them: it learns, is stored, and answers as it was trained."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from forge_assets.training.jobs.spec import GenerateJob, Lora, Probe
from tests.training.job_runs import BASE, GREEDY, ROWS, Runs, dataset, training, weights

HEAD = Lora(rank=4, alpha=8, target_modules=("q_proj", "v_proj", "lm_head"))


@pytest.fixture(scope="module", params=[True, False], ids=["tied", "untied"])
def folder(request: pytest.FixtureRequest, tiny_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A miniature whose output layer is the embedding, and one where it is its own."""
    from transformers import AutoModelForCausalLM, AutoTokenizer

    if request.param:
        return tiny_model
    made = tmp_path_factory.mktemp("models") / "untied"
    model = AutoModelForCausalLM.from_pretrained(tiny_model, tie_word_embeddings=False)
    model.lm_head.weight.data.normal_(std=0.02)
    model.save_pretrained(made)
    AutoTokenizer.from_pretrained(tiny_model).save_pretrained(made)
    return made


def trainer(folder: Path, work: Path, lora: Lora) -> Any:
    from datasets import Dataset

    from forge_assets.training.jobs.spec import SftJob
    from forge_assets.training.models.adapters import lora_config
    from forge_assets.training.models.loading import load_model, load_tokenizer
    from forge_assets.training.trainers.sft import _arguments
    from forge_assets.training.trainers.sft_trainer import CompletionTrainer

    digest = "a" * 64
    job = SftJob(base=digest, dataset=digest, lora=lora, learning_rate=2e-2, batch_size=3, steps=3, warmup_ratio=0)
    model = load_model(folder, "float32", "none")
    return CompletionTrainer(
        model=model,
        args=_arguments(job, work),
        train_dataset=Dataset.from_list([{"prompt": r["prompt"], "completion": r["completion"]} for r in ROWS]),
        processing_class=load_tokenizer(folder),
        peft_config=lora_config(lora, model),
    )


def test_an_adapted_output_layer_learns_from_the_loss_and_merges_without_touching_the_inputs(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WANDB_MODE", "disabled")
    import torch
    from transformers import AutoModelForCausalLM

    from forge_assets.training.models.adapters import for_answers
    from forge_assets.training.models.loading import load_model, with_adapter
    from forge_assets.training.models.packed_attention import attend_as_before

    trained = trainer(folder, tmp_path, HEAD)
    base = load_model(folder, "float32", "none")
    trained.train()
    model = trained.model
    attend_as_before(model.get_base_model())
    moved = {name: float(part.abs().max()) for name, part in model.named_parameters() if "lora_B" in name}
    assert len(moved) == 2 * 4 + 1 and any("lm_head" in name for name in moved) and min(moved.values()) > 0
    trained.save_model(str(tmp_path / "adapter"))
    tokens = torch.randint(10, 900, (2, 30), generator=torch.Generator().manual_seed(0))

    def logits(model: Any) -> Any:
        with torch.no_grad():
            return model.eval()(tokens).logits

    expected = logits(model)
    assert float((expected - logits(base)).abs().max()) > 1e-3
    again = with_adapter(load_model(folder, "float32", "none"), tmp_path / "adapter").model
    torch.testing.assert_close(logits(again), expected, msg="as loaded from its file")
    merged = for_answers(model).model
    torch.testing.assert_close(logits(merged), expected, msg="as merged")
    torch.testing.assert_close(merged.get_input_embeddings().weight, base.get_input_embeddings().weight)
    merged.save_pretrained(tmp_path / "merged")
    torch.testing.assert_close(logits(AutoModelForCausalLM.from_pretrained(tmp_path / "merged")), expected)


def test_the_loss_and_its_gradients_are_those_of_the_whole_logits(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WANDB_MODE", "disabled")
    import torch

    ours = trainer(folder, tmp_path, HEAD)
    for name, weight in ours.model.named_parameters():
        if "lora_B" in name:
            weight.data.normal_(std=0.1, generator=torch.Generator().manual_seed(len(name)))
    batch = ours.data_collator([ours.train_dataset[i] for i in range(3)])
    found = []
    for plain in (False, True):
        ours.model.zero_grad()
        if plain:
            rows = {k: batch[k] for k in batch if k not in ("labels", "completion_mask")}
            logits = ours.model(**rows, use_cache=False).logits
            loss = torch.nn.functional.cross_entropy(logits[0, :-1], batch["labels"][0, 1:], ignore_index=-100)
        else:
            loss = ours.compute_loss(ours.model, {**batch})
        loss.backward()
        found.append({name: w.grad.clone() for name, w in ours.model.named_parameters() if w.requires_grad})
    assert float(found[0]["base_model.model.lm_head.lora_A.default.weight"].abs().max()) > 0
    for name, gradient in found[0].items():
        torch.testing.assert_close(gradient, found[1][name], msg=name)


def test_a_worker_stores_the_adapter_alone_and_answers_alike_from_memory_and_from_its_file(undisturbed: Runs) -> None:
    from safetensors.torch import load as read

    asked = {"prompts": dataset(undisturbed), "sampling": GREEDY}
    done = undisturbed.run(training(undisturbed, lora=HEAD, learning_rate=2e-2, steps=6, probe=Probe(**asked)))
    assert done.record["loss_last"] < done.record["loss_first"]
    assert all("lora_" in name for name in read(weights(done))), "no copy of the base's embeddings beside it"
    answers = undisturbed.run(GenerateJob(base=BASE, adapter=done.identity, **asked)).answers()
    assert answers == done.answers()


def test_a_module_that_the_model_does_not_have_is_refused_by_name(tiny_model: Path) -> None:
    from forge_assets.training.models.adapters import lora_config
    from forge_assets.training.models.loading import load_model

    lora = Lora(rank=4, alpha=8, target_modules=("q_proj", "query"))
    with pytest.raises(ValueError, match="target_modules: the model has no query: choose from down_proj, .*lm_head"):
        lora_config(lora, load_model(tiny_model, "float32", "none"))
