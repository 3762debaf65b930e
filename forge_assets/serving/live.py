"""Find the model to serve: the deployment that is live, or a GGUF file that somebody names."""

from __future__ import annotations

from pathlib import Path

from forge_assets.delivery.deployment import Deployments
from forge_assets.serving.answering import Served
from forge_assets.serving.library import Library
from forge_assets.serving.model.process import ModelError
from forge_resources.storage.file_sums import sha256

_CONTEXT = 2048


def find_model(
    library: Library, deployments: Deployments, file: Path | None, kind: str | None
) -> tuple[Path, Served, int]:
    """Find the file to load, what is known of it, and its context.

    Args:
        file: a GGUF file; None: the live deployment's.
        kind: type of the deployment's weights; None: the one that is served.

    Raises:
        ModelError: there is no such file, or no deployment is live.
        DeploymentError: the deployment has no such type, or its file is not as it was made.
    """
    live = deployments.live()
    if file is not None:
        if not file.is_file():
            raise ModelError(f"{file}: no such file: name a GGUF file")
        system = live.system if live else library.domain.system_prompt
        return file, Served(name=file.stem, digest=sha256(file), system=system), _CONTEXT
    if live is None:
        raise ModelError("no model is live: run `forge run`, then `forge promote`, or name a file with --model")
    served = Served(
        name=live.name,
        digest=live.digest,
        system=live.system,
        jurisdictions=live.jurisdictions,
        languages=live.answer_languages,
        max_new_tokens=live.max_new_tokens,
    )
    return deployments.file(live, kind), served, live.context
