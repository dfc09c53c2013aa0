-- What people enter, and no record says: targets, and reports that are kept by a name.

CREATE TABLE goal (
    shop_id text NOT NULL,
    agent_id text NOT NULL,
    figure text NOT NULL,
    first_day date NOT NULL,
    last_day date NOT NULL,
    target bigint NOT NULL,
    currency text,
    set_ts bigint NOT NULL,
    PRIMARY KEY (shop_id, agent_id, figure, first_day, last_day)
);

CREATE TABLE saved_report (
    name text NOT NULL PRIMARY KEY,
    report text NOT NULL,
    options json NOT NULL,
    saved_ts bigint NOT NULL
);
