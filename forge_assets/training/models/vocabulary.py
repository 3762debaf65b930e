"""Change the vocabulary of a base model: a token for each place of law that is taught.

Only the tensors that have a row a token are rewritten: no other weight is loaded, so the largest model takes as much
memory as its embedding, and stays quantised as it was published.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open
from safetensors.torch import save_file

from forge_assets.training.jobs.spec import TokensJob
from forge_assets.training.models.citation_tokens import add_tokens, rows_with_tokens, write_tokens
from forge_assets.training.models.loading import load_tokenizer, model_folder
from forge_assets.training.runtime.progress import Progress
from forge_resources.config.model_registry import DIGEST
from forge_resources.processes.interrupt import Interrupt
from forge_resources.storage.json_lines import read_json_lines

TABLES = ("embed_tokens.weight", "lm_head.weight")
"""Ends of the names of tensors with a row a token, in the families that are trained here."""


def add_citation_tokens(
    job: TokensJob, paths: dict[str, Path], work: Path, progress: Progress, interrupt: Interrupt
) -> dict[str, Any]:
    """Write the base model with its new tokens to `result/model`.

    Raises:
        Interrupted: stopped early; it starts again from the beginning.
        ValueError: a place cannot be a token of this model, or its embedding is not found.
    """
    base, model = model_folder(paths[job.base]), work / "result" / "model"
    written = [(row["text"], tuple(row["places"])) for row in read_json_lines(paths[job.citations])]
    tokenizer = load_tokenizer(base)
    before, parts = len(tokenizer), [tokenizer(text, add_special_tokens=False).input_ids for text, _ in written]
    tokens = add_tokens(tokenizer, written)
    draw = torch.Generator().manual_seed(job.seed)
    rows = copy_with_tables(
        base, model, lambda table: rows_with_tokens(table, parts, before, job.noise, draw), interrupt
    )
    set_config(model / "config.json", vocab_size=rows)
    tokenizer.save_pretrained(model)
    write_tokens(model, tokens)
    progress.say(f"{len(tokens)} citation tokens, {rows} rows")
    return {"tokens": len(tokens), "rows": rows}


def copy_with_tables(
    base: Path, model: Path, change: Callable[[torch.Tensor], torch.Tensor], interrupt: Interrupt
) -> int:
    """Copy a model folder, with every tensor that has a row a token changed.

    Returns:
        Rows that the tensors have then.

    Raises:
        Interrupted: stopped early; it starts again from the beginning.
        ValueError: the model has no such tensor.
    """
    shutil.rmtree(model, ignore_errors=True)
    model.mkdir(parents=True)
    rows = 0
    for file in sorted(base.iterdir()):
        interrupt.check()
        tables = _tables(file) if file.suffix == ".safetensors" else []
        if not tables:
            if file.suffix == ".safetensors":
                _link(file, model / file.name)
            elif file.is_file() and file.name != DIGEST:  # which lists the base model's own files
                shutil.copyfile(file, model / file.name)
            continue
        with safe_open(file, "pt") as held:
            tensors = {name: held.get_tensor(name) for name in held.keys()}  # noqa: SIM118
            about = held.metadata()
        for name in tables:
            tensors[name] = change(tensors[name])
            rows = len(tensors[name])
        save_file(tensors, model / file.name, about)
    if not rows:
        raise ValueError(f"{base}: no tensor is named {' or '.join(TABLES)}: its vocabulary cannot be changed")
    return rows


def _tables(file: Path) -> list[str]:
    with safe_open(file, "pt") as held:
        return sorted(name for name in held.keys() if name.endswith(TABLES))  # noqa: SIM118


def _link(file: Path, target: Path) -> None:
    """Have weights in two folders, of which neither is written to again."""
    try:
        os.link(file, target)
    except OSError:  # another file system
        shutil.copyfile(file, target)


def set_config(path: Path, **fields: Any) -> None:
    """Change fields of a model's `config.json`, also where it keeps its language model's in `text_config`."""
    config = json.loads(path.read_text("utf-8"))
    text = config.get("text_config") or config
    for name, value in fields.items():
        text[name] = value
        if name in config:
            config[name] = value
    path.write_text(json.dumps(config, indent=2) + "\n", "utf-8")
