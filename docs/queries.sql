-- An analyst's session with the published database. Each statement stands alone:
--
--     duckdb -readonly .forge/forge.duckdb < docs/queries.sql
--
-- Without the duckdb program, see docs/data.md. What a table or column is: SELECT * FROM duckdb_columns().

-- 1. How much law is held, and how much of it does the statute text bear out?
SELECT jurisdiction, name, status, provisions, verified, text_as_of
FROM catalog.frameworks ORDER BY provisions DESC;

-- 2. What is not verified, and why? Such provisions are shown and never taught.
SELECT jurisdiction, citation, status, text_as_of, array_to_string(problems, '; ') AS problems
FROM catalog.provisions WHERE NOT verified ORDER BY ALL;

-- 3. Where are the gaps? Cells that the benchmark asks in some country, and not in this one.
SELECT jurisdiction, task_type, list(variant ORDER BY variant) AS variants
FROM scenarios.coverage WHERE split = 'benchmark' AND samples = 0
GROUP BY ALL ORDER BY ALL;

-- 4. What are the sets of the last chain made of?
SELECT role, language, register, count(*) AS samples, count(DISTINCT scenario_id) AS scenarios
FROM scenarios.sets GROUP BY ALL ORDER BY role, samples DESC;

-- 5. Which verified provisions are taught least?
SELECT jurisdiction, citation, core, samples
FROM scenarios.teaching WHERE verified ORDER BY samples, jurisdiction, citation LIMIT 20;

-- 6. Which samples of the sets were made from an older law? After `forge run` there are none.
SELECT role, sample_id, stale.jurisdictions, changed, gone
FROM scenarios.sets JOIN scenarios.stale AS stale USING (sample_id) ORDER BY position;

-- 7. What did the search find, and did the guard predict memory well?
SELECT trial, phase, round(score, 3) AS score, ran, guard, round(predicted_bytes / 1e9, 1) AS predicted_gb,
       round(measured_bytes / 1e9, 1) AS measured_gb, round(seconds) AS seconds, status
FROM search.trials ORDER BY score DESC NULLS LAST;

-- 8. Why was the student not taught the teacher's own answers, task by task?
SELECT task_type, if(accepted, 'taught', why_not) AS outcome, count(*) AS answers, round(avg(composite), 3) AS composite
FROM distillation.teacher_responses
JOIN (FROM scenarios.sets WHERE role = 'train') USING (sample_id)
GROUP BY ALL ORDER BY task_type, answers DESC;

-- 9. The four models side by side, one line a metric.
PIVOT benchmark.scores ON model USING round(avg(value), 3) GROUP BY metric ORDER BY metric;

-- 10. Where did tuning help the student, and where did it harm? Mean gain with its standard error.
SELECT task_type, language, count(*) AS samples, round(avg(gain), 3) AS gain,
       round(stddev_samp(gain) / sqrt(count(*)), 3) AS standard_error, count(*) FILTER (gain < 0) AS worse
FROM benchmark.paired GROUP BY ALL ORDER BY gain;

-- 11. The tuned student's worst answers, to read.
SELECT round(tuned, 3) AS composite, paired.task_type, paired.jurisdictions, prompt, expected_citations, answer
FROM benchmark.paired AS paired
JOIN (FROM benchmark.answers WHERE model = 'student_tuned') USING (sample_id)
JOIN scenarios.samples USING (sample_id)
ORDER BY tuned LIMIT 10;

-- 12. Where did the time go?
SELECT kind, jobs, round(seconds / 60, 1) AS minutes, restarts, round(peak_memory_bytes / 1e9, 1) AS peak_gb,
       round(tokens_per_second) AS tokens_per_second
FROM ops.time ORDER BY seconds DESC;
