"""What makes base models that are not there as folders: modules of this room, each in a process of its own."""

from __future__ import annotations

from forge_assets.training.models import gguf, miniature
from forge_resources.config.model_registry import Makers

MAKERS = Makers(gguf=gguf.__name__, miniature=miniature.__name__)
