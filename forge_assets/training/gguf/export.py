"""Do a job of kind `gguf`: a tuned model as GGUF files, whose tokenizer is proven to give the ids of training."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Any

from forge_assets.training.gguf.convert import convert
from forge_assets.training.gguf.llama import Llama
from forge_assets.training.gguf.quantise import quantise
from forge_assets.training.jobs.spec import GGUF_TYPES, GgufJob, ModelFields
from forge_assets.training.models.loading import load_tokenizer, load_tuned, model_folder
from forge_assets.training.runtime.progress import Progress
from forge_resources.processes.interrupt import Interrupt
from forge_resources.storage.json_lines import read_json_lines

MERGED = "model"
"""Folder of the result with the merged weights as safetensors, config and tokenizer."""
CHECKED_CONTEXT = 512
"""Tokens that llama.cpp makes room for while only token ids are compared."""


def export(
    job: GgufJob, paths: dict[str, Path], work: Path, progress: Progress, interrupt: Interrupt
) -> dict[str, Any]:
    """Write `result/model`, safetensors, and from it `result/f16.gguf`, `q8_0.gguf` and `q4_k_m.gguf`.

    Returns:
        How many prompts were compared, of how many the token ids are the same, and the texts that end an answer.

    Raises:
        Interrupted: stopped early; it starts again from the beginning.
        ValueError: llama.cpp does not know the model's family or tokenizer, or the adapter would be lost to rounding.
    """
    result, plain = work / "result", work / "result" / MERGED
    shutil.rmtree(result, ignore_errors=True)
    plain.mkdir(parents=True)
    base = model_folder(paths[job.base])
    with interrupt.at_once():
        progress.phase("merging")
        _write_plain(job, paths, base, plain)
        progress.phase("converting")
        convert(plain, model_folder(paths[job.published]), result / "f16.gguf", job.name)
        for kind in GGUF_TYPES:
            if kind != "f16":
                progress.say(f"quantising to {kind}")
                quantise(result / "f16.gguf", result / f"{kind}.gguf", kind)
        progress.phase("comparing token ids")
        compared, same = _same_ids(paths[job.golden], plain, result / "f16.gguf")
    return {
        "golden": compared,
        "golden_same": same,
        "stops": _stops(plain),
        "bytes": sum(file.stat().st_size for file in result.glob("*.gguf")),
    }


def _write_plain(job: GgufJob, paths: dict[str, Path], base: Path, folder: Path) -> None:
    """Write safetensors, config and tokenizer; weights that nothing is merged into are linked."""
    if job.adapter:
        named = ModelFields(base=job.base, adapter=job.adapter, precision=job.precision, compute=job.precision)
        model, tokenizer, lost = load_tuned(paths, named)
        if lost is None:
            raise ValueError(f"in {job.precision} the adapter would be lost to rounding: merge it in float32")
        model.save_pretrained(folder)
    else:
        tokenizer = load_tokenizer(base)
        for file in base.iterdir():
            if file.suffix == ".safetensors" or file.name.endswith(("config.json", ".index.json")):
                os.link(file, folder / file.name) if file.stat().st_dev == folder.stat().st_dev else shutil.copy(
                    file, folder
                )
    for name in ("tokenizer.model",):  # read by the converter of some families
        if (base / name).exists():
            shutil.copy(base / name, folder)
    (folder / "tokenizer_config.json").unlink(missing_ok=True)  # a link must not be written through
    tokenizer.save_pretrained(folder)


def _stops(folder: Path) -> list[str]:
    """Texts of the tokens that end an answer, as tokenizer and generation config name them."""
    tokenizer, config = load_tokenizer(folder), folder / "generation_config.json"
    named = json.loads(config.read_text("utf-8")).get("eos_token_id") if config.exists() else None
    ids = {tokenizer.eos_token_id, *(named if isinstance(named, list) else [named])} - {None}
    return [str(text) for text in tokenizer.convert_ids_to_tokens(sorted(ids))]


def _same_ids(golden: Path, folder: Path, file: Path) -> tuple[int, int]:
    tokenizer, rows = load_tokenizer(folder), read_json_lines(golden)
    same = 0
    with Llama(file, slots=1, context=CHECKED_CONTEXT, threads=1) as llama:
        for row in rows:
            wanted = tokenizer.apply_chat_template(row["prompt"], add_generation_prompt=True, return_dict=True)
            same += llama.token_ids(row["prompt"]) == list(wanted.input_ids)
    return len(rows), same
