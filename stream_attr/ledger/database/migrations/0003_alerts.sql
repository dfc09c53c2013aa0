-- Which alerts have begun, and what has been sent of them: so that a restart sends nothing twice.

CREATE TABLE alert_state (
    shop_id text NOT NULL,
    rule text NOT NULL,
    active boolean NOT NULL,
    changes integer NOT NULL,
    changed_ts bigint NOT NULL,
    PRIMARY KEY (shop_id, rule)
);

CREATE TABLE alert_message (
    shop_id text NOT NULL,
    rule text NOT NULL,
    change integer NOT NULL,
    channel text NOT NULL,
    begins boolean NOT NULL,
    title text NOT NULL,
    body text NOT NULL,
    status text NOT NULL,
    attempts integer NOT NULL,
    sent_ts bigint,
    PRIMARY KEY (shop_id, rule, change, channel)
);

CREATE INDEX alert_message_open ON alert_message (shop_id, rule, channel, change) WHERE status <> 'sent';
