-- Views of the published DuckDB. `Store.publish` makes each one where every table after FROM and JOIN is there.
-- A view's comments follow it.

-- Which cells have samples, and which have none: a task and variant that occurs anywhere is counted everywhere.
CREATE VIEW scenarios.coverage AS
WITH counted AS (
    SELECT task_type, jurisdiction, variant, split, count(*) AS samples
    FROM (SELECT task_type, unnest(jurisdictions) AS jurisdiction, variant, split FROM scenarios.samples)
    GROUP BY ALL
),
cells AS (
    SELECT task_type, jurisdiction, variant, split
    FROM (SELECT DISTINCT task_type, variant FROM counted),
         (SELECT DISTINCT jurisdiction FROM counted),
         (SELECT DISTINCT split FROM counted)
)
SELECT task_type, jurisdiction, variant, split, coalesce(samples, 0) AS samples
FROM cells LEFT JOIN counted USING (task_type, jurisdiction, variant, split);
COMMENT ON VIEW scenarios.coverage IS
    'A row is a task, jurisdiction, variant and split. How many samples there are, cells without any too.';
COMMENT ON COLUMN scenarios.coverage.task_type IS 'Id of the task asked.';
COMMENT ON COLUMN scenarios.coverage.jurisdiction IS
    'Code of a country asked about; a comparison counts for both of its countries.';
COMMENT ON COLUMN scenarios.coverage.variant IS 'What makes the samples hard, as in scenarios.samples.';
COMMENT ON COLUMN scenarios.coverage.split IS 'train, validation, benchmark or withheld.';
COMMENT ON COLUMN scenarios.coverage.samples IS 'Number of samples; 0: a gap.';

-- How often each provision is taught; one that is not verified must have none.
CREATE VIEW scenarios.teaching AS
WITH taught AS (
    SELECT sample_id, unnest(provenance) AS provision_id FROM scenarios.sets WHERE role = 'train'
)
SELECT jurisdiction, provision_id, citation, core, status, verified, count(DISTINCT sample_id) AS samples
FROM catalog.provisions LEFT JOIN taught USING (provision_id)
GROUP BY ALL;
COMMENT ON VIEW scenarios.teaching IS
    'A row is a provision, verified or not. How many samples of the role train rest on it.';
COMMENT ON COLUMN scenarios.teaching.jurisdiction IS 'Code of the country or union whose law it is.';
COMMENT ON COLUMN scenarios.teaching.provision_id IS 'Id of the provision.';
COMMENT ON COLUMN scenarios.teaching.citation IS 'The place in the form that lawyers of the country write.';
COMMENT ON COLUMN scenarios.teaching.core IS 'Whether it is a principal duty.';
COMMENT ON COLUMN scenarios.teaching.status IS 'verified, text_outdated or unverified.';
COMMENT ON COLUMN scenarios.teaching.verified IS 'Whether its status is verified: only then is it taught.';
COMMENT ON COLUMN scenarios.teaching.samples IS 'Number of training samples; 0: it is not taught.';

-- Samples made from an older law than the catalog holds now.
CREATE VIEW scenarios.stale AS
WITH used AS (
    SELECT sample_id, jurisdictions, task_type, split,
           unnest(provenance) AS provision_id, unnest(provenance_versions) AS made_from
    FROM scenarios.samples
), held AS (
    SELECT provision_id, version FROM catalog.provisions
    UNION ALL SELECT step_id, version FROM catalog.escalation
)
SELECT sample_id, used.jurisdictions, task_type, split,
       list(provision_id ORDER BY provision_id) FILTER (now.provision_id IS NOT NULL) AS changed,
       list(provision_id ORDER BY provision_id) FILTER (now.provision_id IS NULL) AS gone
FROM used LEFT JOIN held AS now USING (provision_id)
WHERE made_from IS DISTINCT FROM now.version
GROUP BY ALL;
COMMENT ON VIEW scenarios.stale IS
    'A row is a sample made from an older law: a provision it rests on has another version in the catalog.';
COMMENT ON COLUMN scenarios.stale.sample_id IS 'Id of the sample.';
COMMENT ON COLUMN scenarios.stale.jurisdictions IS 'Codes of the countries asked about.';
COMMENT ON COLUMN scenarios.stale.task_type IS 'Id of the task asked.';
COMMENT ON COLUMN scenarios.stale.split IS 'train, validation, benchmark or withheld.';
COMMENT ON COLUMN scenarios.stale.changed IS 'Ids of the provisions that have changed since; null: none.';
COMMENT ON COLUMN scenarios.stale.gone IS 'Ids of the provisions that the catalog no longer has; null: none.';

-- What tuning changed, question by question.
CREATE VIEW benchmark.paired AS
WITH composites AS (
    SELECT sample_id,
           any_value(value) FILTER (model = 'student_untuned') AS untuned,
           any_value(value) FILTER (model = 'student_tuned') AS tuned
    FROM benchmark.scores WHERE metric = 'composite' GROUP BY sample_id
),
asked AS (
    SELECT DISTINCT ON (sample_id) sample_id, jurisdictions, task_type, variant, language FROM scenarios.sets
)
SELECT sample_id, jurisdictions, task_type, variant, language, untuned, tuned, tuned - untuned AS gain
FROM composites LEFT JOIN asked USING (sample_id);
COMMENT ON VIEW benchmark.paired IS
    'A row is a benchmark sample. Composite of the tuned student minus that of the untuned one, on the same question.';
COMMENT ON COLUMN benchmark.paired.sample_id IS 'Id of the sample.';
COMMENT ON COLUMN benchmark.paired.jurisdictions IS
    'Codes of the countries asked about; null, as the next three: the sets were drawn anew since the benchmark.';
COMMENT ON COLUMN benchmark.paired.task_type IS 'Id of the task asked.';
COMMENT ON COLUMN benchmark.paired.variant IS 'What makes the sample hard, as in scenarios.samples.';
COMMENT ON COLUMN benchmark.paired.language IS 'Code of the language of the prompt.';
COMMENT ON COLUMN benchmark.paired.untuned IS 'Composite of the untuned student, 0 to 1.';
COMMENT ON COLUMN benchmark.paired.tuned IS 'Composite of the tuned student, 0 to 1.';
COMMENT ON COLUMN benchmark.paired.gain IS 'Tuned minus untuned, -1 to 1.';

-- What each kind of job costs.
CREATE VIEW ops.time AS
SELECT kind, count(*) AS jobs, sum(seconds) AS seconds, avg(seconds) AS seconds_each,
       sum(attempts) - count(*) AS restarts, max(peak_memory_bytes) AS peak_memory_bytes,
       median(tokens_per_second) AS tokens_per_second
FROM ops.jobs GROUP BY kind;
COMMENT ON VIEW ops.time IS 'A row is a kind of job. Time and memory of all its finished jobs, of earlier chains too.';
COMMENT ON COLUMN ops.time.kind IS 'What the worker did, as in sft, generate or cut.';
COMMENT ON COLUMN ops.time.jobs IS 'Number of finished jobs.';
COMMENT ON COLUMN ops.time.seconds IS 'Seconds of all of them together.';
COMMENT ON COLUMN ops.time.seconds_each IS 'Mean seconds of a job.';
COMMENT ON COLUMN ops.time.restarts IS 'Attempts beyond the first of each job, after a worker died.';
COMMENT ON COLUMN ops.time.peak_memory_bytes IS 'Highest peak of resident memory.';
COMMENT ON COLUMN ops.time.tokens_per_second IS 'Median of tokens trained on or generated a second.';
