"""`forge deployments`, `forge promote` and `forge rollback`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from forge_assets.cli.app import Refused

if TYPE_CHECKING:
    from collections.abc import Callable

    from forge_assets.delivery.deployment import Deployment, Deployments


def deployments() -> int:
    """List the models that are kept, their scores, and which is live."""
    from forge_assets.cli.tables import show
    from forge_resources.presentation.text_table import TextTable

    kept = _deployments()
    live, found = kept.live(), kept.all()
    if not found:
        print("no deployment yet: `forge run` makes one")
        return 0
    rows = tuple(
        (
            made.digest[:12],
            "live" if live and made.digest == live.digest else ("refused" if made.failed else ""),
            made.made_at,
            made.profile,
            f"{made.scores[made.served]:.3f}",
            f"{made.files[made.served].bytes / 1e6:.0f} MB",
        )
        for made in found
    )
    show(TextTable(head=("deployment", "", "made", "profile", "composite", "size"), rows=rows))
    for made in found:
        for check in made.failed:
            print(f"{made.digest[:12]}: {check.name}: {check.said}")
    for move in kept.history()[-5:]:
        print(f"{move.at} {move.by}: {move.action} {move.digest[:12]}")
    return 0


def promote(digest: Annotated[str, typer.Argument(help="beginning of the digest, see `forge deployments`")]) -> int:
    """Make a deployment live, unless a check does not hold."""
    return _moved(lambda kept: kept.promote(digest))


def rollback() -> int:
    """Make the deployment live that was so before this one."""
    return _moved(lambda kept: kept.rollback())


def _moved(move: Callable[[Deployments], Deployment]) -> int:
    from forge_assets.delivery.deployment import DeploymentError

    kept = _deployments()
    try:
        made = move(kept)
    except DeploymentError as refused:
        raise Refused(refused) from refused
    print(f"live: {made.name}")
    return 0


def _deployments() -> Deployments:
    from forge_assets.delivery.deployment import Deployments
    from forge_resources.config.data_folder import check_data_folder, data_folder

    check_data_folder(data_folder())
    return Deployments(data_folder() / "deployments")


def delivered(kept: Deployments, digest: str) -> str:
    """Say what a chain ends with: the file, and how to ask it; or why it is not live."""
    live, made = kept.live(), kept.get(digest)
    if live is None or live.digest != made.digest:
        why = "; ".join(f"{check.name}: {check.said}" for check in made.failed) or "it was rolled back"
        return f"deployment {made.digest[:12]} is not live: {why}"
    return f"model: {kept.file(made)}\nask it: {_forge()} ask {_quoted(made)}"


def _forge() -> str:
    """The command as this shell finds it."""
    import os
    import shutil
    import sys
    from pathlib import Path

    here = Path(sys.executable).with_name("forge")
    if shutil.which("forge") or not here.is_file():
        return "forge"
    return os.path.relpath(here) if here.is_relative_to(Path.cwd()) else str(here)


def _quoted(made: Deployment) -> str:
    import shlex

    return shlex.quote(" ".join(made.question.split()))
