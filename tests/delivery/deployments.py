"""Deployments as the asset makes them, with weights of a few bytes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from forge_assets.delivery.deployment import Check, Deployment, Deployments, FileSum
from forge_resources.storage.file_sums import sha256

GOOD = Check(name="learned", passed=True, said="tuning changed the composite by +0.4")
WORSE = Check(name="no_regression", passed=False, said="-0.200 [-0.300, -0.100] on 40 questions against the live one")


def planted(kept: Deployments, scratch: Path, weights: str, at: int, **changes: Any) -> Deployment:
    """Keep a deployment whose weights are that text."""
    source = scratch / f"{weights}.gguf"
    source.write_text(weights, "utf-8")
    file = FileSum(name="labour.q8_0.gguf", sha256=sha256(source), bytes=source.stat().st_size)
    fields: dict[str, Any] = {
        "profile": "cpu",
        "domain": "labour",
        "base_model": "smollm2-135m-instruct",
        "licence": "Apache-2.0",
        "student": {"base": "a" * 64, "adapter": None},
        "files": {"q8_0": file},
        "served": "q8_0",
        "jurisdictions": ("DE", "AT"),
        "languages": ("de", "en"),
        "answer_languages": ("en",),
        "system": 'You are a "European" labour lawyer.',
        "context": 1024,
        "max_new_tokens": 256,
        "scores": {"transformers": 0.56, "q8_0": 0.55},
        "tokens_per_second": {"q8_0": 249.0},
        "composites": {f"s{i}": 0.5 for i in range(40)},
        "checks": (GOOD,),
        "question": "Who decides?",
        "answer": "The works council, § 87 BetrVG.",
        "laws": {"DE": "f" * 64},
        "made_at": f"2026-12-01T10:{at:02}:00+00:00",
    }
    fields |= changes
    made = Deployment(digest=Deployment.identity(fields["files"], fields["system"]), **fields)
    kept.add(made, {file.name: source}, {"Modelfile": "FROM ./labour.q8_0.gguf\n"})
    return made
