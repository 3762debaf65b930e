"""Define the asset `deployment`: the tuned student in the form in which people ask it, live once its checks hold."""

import dagster as dg

from forge_assets.benchmark.record import Report
from forge_assets.code_version import code_version
from forge_assets.delivery.deployment import DeploymentError, Deployments
from forge_assets.delivery.gate import CHECKS
from forge_assets.delivery.making import deploy
from forge_assets.delivery.record import Delivery
from forge_assets.distillation.records import Student
from forge_assets.training.asset_support import job_runner
from forge_assets.training.made_from import made_with
from forge_resources.forge import Forge
from forge_resources.launchers.base import Launcher


@dg.asset(
    deps=["benchmark_report"],
    check_specs=[dg.AssetCheckSpec(name, asset="deployment") for name in CHECKS],
    group_name="delivery",
    kinds={"gguf"},
    owners=["team:ml-engineering"],
    tags={"stage": "delivery"},
    code_version=code_version("delivery", "scoring"),
)
def deployment(context: dg.AssetExecutionContext, forge: Forge, launcher: Launcher) -> dg.MaterializeResult:  # type: ignore[type-arg]
    """GGUF files, Modelfile, vLLM launch file, cards; the pointer moves to it where every check holds."""
    student = forge.load(Student)
    made_from = made_with(forge, student, forge.load(Report))
    runner, deployments = job_runner(context, forge, launcher), Deployments.of(forge)
    made = deploy(forge, runner, student, made_from)
    forge.save(Delivery(made_from=made_from, jobs=runner.asked, digest=made.digest))
    try:
        deployments.promote(made.digest)
        live = "yes"
    except DeploymentError as refused:
        live = str(refused)
        context.log.warning(live)
    return dg.MaterializeResult(
        data_version=dg.DataVersion(made.digest),
        metadata={
            "live": live,
            "folder": dg.MetadataValue.path(deployments.folder(made.digest)),
            **{f"{kind} bytes": file.bytes for kind, file in made.files.items()},
            **{f"{kind} SHA-256": file.sha256 for kind, file in made.files.items()},
            **{f"{kind} tokens per second": value for kind, value in made.tokens_per_second.items()},
            **{f"{kind} score loss": round(loss, 4) for kind, loss in made.lost.items()},
            "worked answer": dg.MetadataValue.md(f"> {made.question}\n\n{made.answer}"),
        },
        check_results=[
            dg.AssetCheckResult(check_name=check.name, passed=check.passed, description=check.said)
            for check in made.checks
        ],
    )
