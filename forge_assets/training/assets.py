"""Define the asset base_models."""

import dagster as dg
import polars as pl

from forge_assets.catalog.snapshot import live_countries
from forge_assets.training.asset_support import drawn_sets, job_runner
from forge_assets.training.base_models import BaseModels, citation_rows, vocabulary_rows
from forge_assets.training.jobs.spec import CODE_VERSION, TokensJob, VocabularyJob
from forge_assets.training.made_from import made_now
from forge_resources.forge import Forge
from forge_resources.launchers.base import Launcher


@dg.asset(
    deps=["warehouse"],
    group_name="training",
    kinds={"pytorch"},
    owners=["team:ml-engineering"],
    tags={"stage": "training"},
    code_version=str(CODE_VERSION),
)
def base_models(context: dg.AssetExecutionContext, forge: Forge, launcher: Launcher) -> dg.MaterializeResult:  # type: ignore[type-arg]
    """The profile's models with the vocabulary it asks for: fewer tokens, and one for each place that is taught."""
    runner, profile, made_from = job_runner(context, forge, launcher), forge.profile, made_now(forge)
    plain = {name: forge.models.ensure(name) for name in sorted({profile.teacher.model, profile.student.model})}
    models, tokens = {name: model.digest for name, model in plain.items()}, 0
    taught = drawn_sets(forge).filter(pl.col("role") == "train")
    if profile.vocabulary:
        words = runner.dataset(vocabulary_rows(taught))
        for name, digest in models.items():
            cut = VocabularyJob(base=digest, words=words, merges=profile.vocabulary.merges)
            models[name] = runner.run(cut, f"vocabulary of {name}").identity
    if profile.citation_tokens:
        _, countries = live_countries(forge)
        rows = runner.dataset(citation_rows(taught, countries))
        for name, digest in models.items():
            job = TokensJob(base=digest, citations=rows, noise=profile.citation_tokens.noise, seed=profile.seed)
            done = runner.run(job, f"citation tokens of {name}")
            models[name], tokens = done.identity, done.record["tokens"]
    forge.save(BaseModels(made_from=made_from, jobs=runner.asked, models=models))
    return dg.MaterializeResult(
        metadata={"citation tokens": tokens, "licences": ", ".join(f"{n}: {m.licence}" for n, m in plain.items())}
    )
