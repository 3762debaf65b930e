"""Write a tuned model as plain weights: its adapter merged in, one folder of safetensors, config and tokenizer."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from forge_assets.training.jobs.spec import ExportJob, ModelFields
from forge_assets.training.models.adapters import MOST_LOST
from forge_assets.training.models.citation_tokens import read_tokens, write_tokens
from forge_assets.training.models.loading import load_tuned, model_folder
from forge_assets.training.runtime.progress import Progress
from forge_resources.processes.interrupt import Interrupt


def export(
    job: ExportJob, paths: dict[str, Path], work: Path, progress: Progress, interrupt: Interrupt
) -> dict[str, Any]:
    """Write `result/model`.

    Raises:
        Interrupted: stopped early; an export starts again from the beginning.
        ValueError: in this precision the adapter would be lost to rounding.
    """
    with interrupt.at_once():
        model, tokenizer, lost = load_tuned(
            paths, ModelFields(base=job.base, adapter=job.adapter, precision=job.precision, compute=job.precision)
        )
        if job.adapter and lost is None:
            raise ValueError(
                f"in {job.precision} more than {MOST_LOST:.0%} of what the adapter learned would be lost to rounding: "
                "export in float32, and let the program that serves the model quantise it"
            )
    progress.phase("saving")
    folder = work / "result" / "model"
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    write_tokens(folder, read_tokens(model_folder(paths[job.base])))
    return {
        "parameters": model.num_parameters(),
        "bytes": sum(file.stat().st_size for file in folder.iterdir()),
        "merge_error": lost,
    }
