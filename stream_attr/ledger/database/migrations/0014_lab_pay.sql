-- What a month's pay would have been under each rule set of a trial: seen as pay is, person by person.

ALTER TABLE lab_trial ADD COLUMN scheme_id text;

CREATE TABLE lab_pay (
    shop_id text NOT NULL,
    trial_id text NOT NULL,
    person_id text NOT NULL,
    name text,
    scheme_version integer NOT NULL,
    currency text NOT NULL,
    totals bigint[] NOT NULL,
    PRIMARY KEY (shop_id, trial_id, person_id),
    FOREIGN KEY (shop_id, trial_id) REFERENCES lab_trial ON DELETE CASCADE
);

ALTER TABLE lab_pay ENABLE ROW LEVEL SECURITY;
CREATE POLICY persons ON lab_pay FOR SELECT USING (
    pay_seen(ARRAY[person_id]) AND CASE current_setting('stream_attr.shops', true)
        WHEN 'all' THEN true
        ELSE shop_id = ANY (nullif(current_setting('stream_attr.shops', true), '')::text[])
    END
);
