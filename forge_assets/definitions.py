"""The Dagster code location: every room's assets, the jobs, the sensors and the resources."""

from __future__ import annotations

import dagster as dg

from forge_assets.automation import catalog_job, chain_job, country_job, framework_watch, retrain, search_job
from forge_assets.benchmark.assets import benchmark_report
from forge_assets.catalog.assets import framework_catalog
from forge_assets.datasets.assets import warehouse
from forge_assets.delivery.assets import deployment
from forge_assets.distillation.assets import student_adapter, student_base, teacher_adapter, teacher_responses
from forge_assets.scenarios.assets import scenario_dataset
from forge_assets.search.assets import search_results
from forge_assets.training.assets import base_models
from forge_assets.training.models.makers import MAKERS
from forge_resources.forge import Forge
from forge_resources.launchers.registry import launcher_from_environment
from forge_resources.presentation.console import TERMINAL, terminal_logger

defs = dg.Definitions(
    assets=[
        framework_catalog,
        scenario_dataset,
        warehouse,
        base_models,
        search_results,
        teacher_adapter,
        teacher_responses,
        student_base,
        student_adapter,
        benchmark_report,
        deployment,
    ],
    jobs=[catalog_job, country_job, chain_job, search_job],
    sensors=[framework_watch, retrain],
    resources={"forge": Forge.from_environment(MAKERS), "launcher": launcher_from_environment()},
    loggers={"console": dg.colored_console_logger, TERMINAL: terminal_logger},
    # The heavy work is in worker processes; a process for each step as well would only cost imports.
    executor=dg.in_process_executor,
)
