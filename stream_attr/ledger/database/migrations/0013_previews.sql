-- A change of rules is tried by the lab, and so is one of the roster.

ALTER TABLE lab_trial ADD COLUMN roster json;

ALTER TABLE rule_change
    DROP COLUMN preview_state,
    DROP COLUMN preview_digest,
    DROP COLUMN preview_ts,
    DROP COLUMN preview_read,
    DROP COLUMN preview_of,
    DROP COLUMN preview_problem,
    DROP COLUMN preview,
    ADD COLUMN trial_id text,
    ADD COLUMN trial_digest text;
