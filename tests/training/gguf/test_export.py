"""A tuned model as GGUF files: the same tokens, the same answers in llama.cpp, and fewer bits where asked for."""

from __future__ import annotations

import json
import os
from pathlib import Path

import gguf
import numpy as np
import pytest

from forge_assets.training.gguf.quantise import quantise
from forge_assets.training.jobs.runner import Finished
from forge_assets.training.jobs.spec import (
    GenerateJob,
    GgufAnswersJob,
    GgufJob,
    Lora,
    Sampling,
    TokensJob,
    VocabularyJob,
)
from forge_assets.training.models.miniature import build
from tests.training.job_runs import BASE, ROWS, Broken, Runs, Workers, training

TEXT = Path(__file__).parents[3] / "LICENSE"
GOLDEN = [
    {"prompt": [{"role": "system", "content": "Law."}, {"role": "user", "content": text}]}
    for text in (
        "§ 87 Abs. 1 Nr. 6 BetrVG, and 1.250 employees",
        "чл. 130в, ал. 1 КТ: колективно уволнение",
        "άρθρο 5 ν. 1387/1983",
        "What does s. 188(1A)(b) TULRCA 1992 say?\n\n\tNow — “quoted” and 12345",
        "日本語 🚀 <|im_end|> trailing  spaces   ",
        "",
    )
]


def exported(runs: Runs, base: str = BASE, adapter: str | None = None) -> Finished:
    golden = runs.jobs.dataset(GOLDEN)
    return runs.run(GgufJob(base=base, adapter=adapter, published=BASE, golden=golden, name="a test's"))


def answered(runs: Runs, made: Finished, file: str) -> list[str]:
    prompts = runs.jobs.dataset(ROWS)
    job = GgufAnswersJob.model_validate(
        {"gguf": made.identity, "file": file, "prompts": prompts, "max_new_tokens": 12, "context": 256}
    )
    return [row["answer"] for row in runs.run(job).answers()]


def test_an_exported_model_gives_the_ids_and_the_answers_of_transformers(undisturbed: Runs) -> None:
    tuned = undisturbed.run(training(undisturbed, steps=20, lora=Lora(rank=8, alpha=16), learning_rate=2e-2))
    made = exported(undisturbed, adapter=tuned.identity)
    assert (made.record["golden"], made.record["golden_same"]) == (len(GOLDEN), len(GOLDEN))
    assert {name for name in made.record["files"] if name.endswith(".gguf")} == {
        "f16.gguf",
        "q4_k_m.gguf",
        "q8_0.gguf",
    }
    assert (made.result / "model" / "model.safetensors").exists()
    assert made.record["stops"] == ["<|im_end|>"]
    sampling = Sampling(max_new_tokens=12, batch_size=5)
    job = GenerateJob(base=BASE, adapter=tuned.identity, prompts=undisturbed.jobs.dataset(ROWS), sampling=sampling)
    wanted = [row["answer"].strip() for row in undisturbed.run(job).answers()]
    assert any(wanted)
    assert [text.strip() for text in answered(undisturbed, made, "f16")] == wanted


@pytest.mark.slow
def test_citation_tokens_print_and_keep_their_ids(tmp_path: Path, workers: Workers) -> None:
    build(tmp_path / "llama", [TEXT], layers=2, hidden=64)
    runs = Runs(tmp_path / "data", tmp_path / "llama", workers)
    places = [{"text": "§ 87 Abs. 1 Nr. 6 BetrVG", "places": ["DE:betrvg:87:1:6"]}]
    base = runs.run(TokensJob(base=BASE, citations=runs.jobs.dataset(places))).identity
    made = exported(runs, base=base)
    assert made.record["golden_same"] == len(GOLDEN)
    reader = gguf.GGUFReader(made.result / "f16.gguf")
    tokens, kinds = (reader.fields[f"tokenizer.ggml.{name}"].contents() for name in ("tokens", "token_type"))
    assert kinds[tokens.index(places[0]["text"])] == gguf.TokenType.USER_DEFINED


@pytest.mark.slow
def test_a_trimmed_vocabulary_keeps_its_ids_and_its_answers(undisturbed: Runs) -> None:
    words = undisturbed.jobs.dataset([{"text": row["prompt"][-1]["content"]} for row in GOLDEN[:2]])
    trimmed = undisturbed.run(VocabularyJob(base=BASE, words=words, merges=40)).identity
    made = exported(undisturbed, base=trimmed)
    assert made.record["golden_same"] == len(GOLDEN)
    job = GenerateJob(
        base=trimmed, prompts=undisturbed.jobs.dataset(ROWS), sampling=Sampling(max_new_tokens=12, batch_size=5)
    )
    wanted = [row["answer"].strip() for row in undisturbed.run(job).answers()]
    assert [text.strip() for text in answered(undisturbed, made, "f16")] == wanted


@pytest.mark.slow
def test_an_adapter_that_was_trained_in_bfloat16_is_exported(undisturbed: Runs) -> None:
    tuned = undisturbed.run(training(undisturbed, steps=4, lora=Lora(rank=8, alpha=16), precision="bfloat16"))
    made = exported(undisturbed, adapter=tuned.identity)
    assert made.record["golden_same"] == len(GOLDEN)


@pytest.mark.slow
@pytest.mark.parametrize("family", ["qwen3", "gemma3", "gpt_oss"])
def test_every_family_is_exported_with_its_template_and_ids(tmp_path: Path, workers: Workers, family: str) -> None:
    build(tmp_path / family, [TEXT], layers=2, hidden=64, family=family)
    runs = Runs(tmp_path / "data", tmp_path / family, workers)
    made = exported(runs)
    assert made.record["golden_same"] == len(GOLDEN)
    assert len(answered(runs, made, "q4_k_m")) == len(ROWS)


def test_a_tokenizer_that_llama_cpp_does_not_know_is_named(tmp_path: Path, workers: Workers) -> None:
    build(tmp_path / "llama", [TEXT], layers=1, hidden=64)
    path = tmp_path / "llama" / "tokenizer.json"
    definition = json.loads(path.read_text("utf-8"))
    definition["pre_tokenizer"] = {"type": "Whitespace"}
    path.write_text(json.dumps(definition), "utf-8")
    with pytest.raises(Broken, match="does not know how this tokenizer splits text"):
        exported(Runs(tmp_path / "data", tmp_path / "llama", workers))


def test_matrices_are_stored_in_fewer_bits_near_what_they_were(tmp_path: Path) -> None:
    draw = np.random.default_rng(0)
    tensors = {
        "token_embd.weight": draw.normal(size=(64, 512)),
        "blk.0.attn_q.weight": draw.normal(size=(96, 512)),
        "blk.0.attn_v.weight": draw.normal(size=(96, 512)),
        "blk.0.ffn_up.weight": draw.normal(size=(96, 96)),  # no multiple of 256
        "blk.0.attn_norm.weight": draw.normal(size=512),
    }
    writer = gguf.GGUFWriter(tmp_path / "f16.gguf", "llama")
    writer.add_block_count(8)
    writer.add_token_list(["a", "é"])
    for name, tensor in tensors.items():
        writer.add_tensor(name, tensor.astype(np.float16 if tensor.ndim > 1 else np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    quantise(tmp_path / "f16.gguf", tmp_path / "q4_k_m.gguf", "q4_k_m")
    reader = gguf.GGUFReader(tmp_path / "q4_k_m.gguf")
    assert {tensor.name: tensor.tensor_type.name for tensor in reader.tensors} == {
        "token_embd.weight": "Q6_K",
        "blk.0.attn_q.weight": "Q4_K",
        "blk.0.attn_v.weight": "Q6_K",
        "blk.0.ffn_up.weight": "Q5_0",
        "blk.0.attn_norm.weight": "F32",
    }
    assert reader.fields["tokenizer.ggml.tokens"].contents() == ["a", "é"]
    assert os.path.getsize(tmp_path / "q4_k_m.gguf") < 0.5 * os.path.getsize(tmp_path / "f16.gguf")
    for tensor in reader.tensors:
        found = gguf.dequantize(tensor.data, tensor.tensor_type)
        assert np.abs(found - tensors[tensor.name]).mean() < 0.1
