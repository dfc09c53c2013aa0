-- Trials of the lab: rule sets judged over a period, in the background of a console.

CREATE TABLE lab_trial (
    shop_id text NOT NULL,
    trial_id text NOT NULL,
    first_day date NOT NULL,
    last_day date NOT NULL,
    rule_sets json NOT NULL,
    asked_by text NOT NULL,
    asked_ts bigint NOT NULL,
    state text NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'running', 'done', 'failed', 'cancelled')),
    read bigint NOT NULL DEFAULT 0,
    total bigint NOT NULL DEFAULT 0,
    told_ts bigint,
    ended_ts bigint,
    problem text,
    result json,
    PRIMARY KEY (shop_id, trial_id),
    CHECK (first_day <= last_day),
    CHECK ((result IS NOT NULL) = (state = 'done')),
    CHECK ((ended_ts IS NULL) = (state IN ('waiting', 'running'))),
    CHECK (problem IS NULL OR state IN ('failed', 'cancelled'))
);

CREATE INDEX lab_trial_age ON lab_trial (shop_id, asked_ts);
CREATE INDEX lab_trial_next ON lab_trial (asked_ts) WHERE state = 'waiting';

ALTER TABLE lab_trial ENABLE ROW LEVEL SECURITY;
CREATE POLICY shops ON lab_trial FOR SELECT USING (
    CASE current_setting('stream_attr.shops', true)
        WHEN 'all' THEN true
        ELSE shop_id = ANY (nullif(current_setting('stream_attr.shops', true), '')::text[])
    END
);
