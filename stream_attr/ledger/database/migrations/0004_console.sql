-- Who may see what: accounts of people, the one-time links with which they set a password, their sessions, what
-- they looked at and changed; and row-level security, the second lock after the console's own scope.

CREATE TABLE account (
    login text PRIMARY KEY,
    name text NOT NULL,
    role text NOT NULL CHECK (role IN ('admin', 'manager', 'reviewer', 'payroll', 'agent', 'auditor')),
    password_hash text,
    active boolean NOT NULL DEFAULT true,
    created_ts bigint NOT NULL
);

CREATE TABLE account_shop (
    login text NOT NULL REFERENCES account ON DELETE CASCADE,
    shop_id text NOT NULL,
    agent_id text NOT NULL,
    PRIMARY KEY (login, shop_id, agent_id)
);

CREATE TABLE account_link (
    token_hash bytea PRIMARY KEY,
    login text NOT NULL REFERENCES account ON DELETE CASCADE,
    expires_ts bigint NOT NULL
);

CREATE TABLE session (
    token_hash bytea PRIMARY KEY,
    login text NOT NULL REFERENCES account ON DELETE CASCADE,
    csrf_token text NOT NULL,
    started_ts bigint NOT NULL,
    used_ts bigint NOT NULL
);

CREATE INDEX session_login ON session (login);

CREATE TABLE audit (
    number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    ts bigint NOT NULL,
    login text NOT NULL,
    action text NOT NULL,
    shop_id text,
    about text NOT NULL
);

-- The owner of the tables, who writes them, is not subject to it; whoever else reads them is. An empty setting
-- lets nobody see a row; 'all' every row; else the shops of an array's text, such as {jd:1,jd:2}.
DO $$
DECLARE
    of_shops text;
BEGIN
    FOREACH of_shops IN ARRAY ARRAY[
        'decision', 'decision_revision', 'refund', 'inquiry', 'reception', 'agent_day', 'service_task',
        'shop_settings', 'roster', 'ruling', 'dead_letter', 'alert_state', 'alert_message', 'goal'
    ] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', of_shops);
        EXECUTE format(
            'CREATE POLICY shops ON %I FOR SELECT USING (CASE current_setting(''stream_attr.shops'', true)'
            ' WHEN ''all'' THEN true ELSE shop_id = ANY'
            ' (nullif(current_setting(''stream_attr.shops'', true), '''')::text[]) END)',
            of_shops
        );
    END LOOP;
END
$$;

-- Rules of no shop concern everybody.
CREATE POLICY no_shop ON alert_state FOR SELECT USING (shop_id = '*');
