"""What the processes of every job run, as the runner tells supervisor and fork server."""

from __future__ import annotations

from forge_resources.storage.launch_file import Entry

WORKER = Entry(
    "forge_assets.training.worker.main:main",
    preload=(
        "wandb",
        "forge_assets.training.inference.generate",
        "forge_assets.training.inference.layer_pruning",
        "forge_assets.training.trainers.sft",
        "forge_assets.training.worker.main",
    ),
)
"""By name: the process that asks for a job imports neither worker nor torch."""
