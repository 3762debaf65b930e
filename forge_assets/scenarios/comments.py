"""What the published DuckDB says about its tables and columns."""

COMMENTS = {
    "catalog.frameworks": "One row a jurisdiction: version of its validated model, bodies, legislation, status.",
    "catalog.provisions": "One row a provision, with its verbatim quote and whether statute text bears it out.",
    "catalog.provisions.status": "verified, text_outdated or unverified; only verified provisions are taught.",
    "catalog.provisions.core": "One of the principal duties, which profiles with `provisions: core` teach.",
    "catalog.provisions.implements": "Places of union law that the provision transposes.",
    "catalog.rules": "Rules on employees' data and on collective agreements, each with its verbatim quote.",
    "catalog.bodies": "Representation bodies and authorities, with the headcount from which a body exists.",
    "catalog.escalation": "The path a dispute takes, step by step.",
    "catalog.statute_units": "Articles and sections of the statutes that citations are checked against.",
    "scenarios.scenarios": "One row a scenario: company archetype, change type, facts, triggered provisions.",
    "scenarios.samples": "One row a prompt with its reference answer.",
    "scenarios.samples.split": "train, validation, benchmark, or withheld (rests on law that is not verified).",
    "scenarios.samples.provenance": "Provision ids the reference was composed from.",
    "scenarios.sets": "The samples that each stage of the last chain saw, by role.",
    "search.trials": "One row a trial of the hyper-parameter search.",
    "distillation.teacher_responses": "The teacher's sampled answers, their scores and whether the student saw them.",
    "benchmark.answers": "One row a model and benchmark sample.",
    "benchmark.scores": "One row a model, sample and metric.",
    "ops.jobs": "One row a finished job: spec, seconds, peak memory, tokens per second.",
}
