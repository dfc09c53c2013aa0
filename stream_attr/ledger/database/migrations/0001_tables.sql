-- What the output topics say last, every revision of a decision, and how far each topic has been read.
-- Instants are epoch milliseconds, days are the shop's, money is in minor units. Every key begins with the shop,
-- and the tables that grow are partitioned by it.

CREATE TABLE decision (
    shop_id text NOT NULL,
    order_id text NOT NULL,
    profile text NOT NULL,
    revision integer NOT NULL,
    buyer_id text NOT NULL,
    preset text NOT NULL,
    settings_from date,
    status text NOT NULL,
    reason text NOT NULL,
    outcome text NOT NULL,
    silence text,
    placing_agent_id text,
    payment_agent_id text,
    agent_id text,
    basis text,
    amount bigint NOT NULL,
    quantity bigint NOT NULL,
    currency text NOT NULL,
    refund_requested bigint NOT NULL,
    refund_completed bigint NOT NULL,
    created_ts bigint NOT NULL,
    deposit_ts bigint,
    paid_ts bigint,
    cancelled_ts bigint,
    notices text[] NOT NULL,
    final_at bigint NOT NULL,
    watermark bigint NOT NULL,
    known_ts bigint NOT NULL,
    source_partition integer NOT NULL,
    source_offset bigint NOT NULL,
    record json NOT NULL,
    PRIMARY KEY (shop_id, order_id, profile)
) PARTITION BY HASH (shop_id);

-- What reports of sales read, so that they need not fetch the receipts.
CREATE INDEX decision_paid ON decision (shop_id, paid_ts)
    INCLUDE (outcome, agent_id, buyer_id, currency, amount, quantity) WHERE profile = 'official';
CREATE INDEX decision_created ON decision (shop_id, created_ts) WHERE profile = 'official';
CREATE INDEX decision_agent ON decision (shop_id, agent_id, paid_ts) WHERE profile = 'official';
CREATE INDEX decision_buyer ON decision (shop_id, buyer_id);
CREATE INDEX decision_pending ON decision (shop_id, final_at) WHERE status = 'pending';

CREATE TABLE decision_revision (LIKE decision INCLUDING DEFAULTS, PRIMARY KEY (shop_id, order_id, profile, revision))
    PARTITION BY HASH (shop_id);

CREATE INDEX decision_revision_known ON decision_revision (shop_id, known_ts);

CREATE TABLE refund (
    shop_id text NOT NULL,
    order_id text NOT NULL,
    number integer NOT NULL,
    refund_id text,
    ts bigint NOT NULL,
    amount bigint NOT NULL,
    completed boolean NOT NULL,
    currency text NOT NULL,
    agent_id text,
    outcome text NOT NULL,
    PRIMARY KEY (shop_id, order_id, number)
) PARTITION BY HASH (shop_id);

CREATE INDEX refund_ts ON refund (shop_id, ts);
-- The last one that a decision names: there may be more.
CREATE INDEX refund_last ON refund (shop_id, ts) WHERE number = 100;

CREATE TABLE inquiry (
    shop_id text NOT NULL,
    buyer_id text NOT NULL,
    agent_id text NOT NULL,
    day date NOT NULL,
    revision integer NOT NULL,
    status text NOT NULL,
    reason text NOT NULL,
    kind text NOT NULL,
    outcome text NOT NULL,
    exempt text,
    order_ids text[] NOT NULL,
    final_at bigint NOT NULL,
    watermark bigint NOT NULL,
    source_partition integer NOT NULL,
    source_offset bigint NOT NULL,
    PRIMARY KEY (shop_id, buyer_id, agent_id, day)
) PARTITION BY HASH (shop_id);

CREATE INDEX inquiry_day ON inquiry (shop_id, day);

CREATE TABLE reception (
    shop_id text NOT NULL,
    buyer_id text NOT NULL,
    agent_id text NOT NULL,
    day date NOT NULL,
    revision integer NOT NULL,
    status text NOT NULL,
    reason text NOT NULL,
    first_ts bigint NOT NULL,
    last_ts bigint NOT NULL,
    initiator text NOT NULL,
    buyer_messages integer NOT NULL,
    agent_messages integer NOT NULL,
    agent_characters integer NOT NULL,
    rounds integer NOT NULL,
    replied boolean NOT NULL,
    first_response_ms bigint,
    response_ms_sum bigint NOT NULL,
    response_count integer NOT NULL,
    slow boolean NOT NULL,
    duration_ms bigint NOT NULL,
    effective_conversation boolean NOT NULL,
    product_page boolean NOT NULL,
    transferred boolean NOT NULL,
    handed_over boolean NOT NULL,
    rating smallint,
    presence bigint[] NOT NULL,
    filtered text,
    role text NOT NULL,
    final_at bigint NOT NULL,
    watermark bigint NOT NULL,
    source_partition integer NOT NULL,
    source_offset bigint NOT NULL,
    PRIMARY KEY (shop_id, buyer_id, agent_id, day)
) PARTITION BY HASH (shop_id);

CREATE INDEX reception_day ON reception (shop_id, day);

CREATE TABLE agent_day (
    shop_id text NOT NULL,
    agent_id text NOT NULL,
    day date NOT NULL,
    revision integer NOT NULL,
    status text NOT NULL,
    reason text NOT NULL,
    watermark bigint NOT NULL,
    source_partition integer NOT NULL,
    source_offset bigint NOT NULL,
    record jsonb NOT NULL,
    PRIMARY KEY (shop_id, agent_id, day)
) PARTITION BY HASH (shop_id);

CREATE INDEX agent_day_day ON agent_day (shop_id, day);

CREATE TABLE service_task (
    shop_id text NOT NULL,
    order_id text NOT NULL,
    kind text NOT NULL,
    revision integer NOT NULL,
    buyer_id text NOT NULL,
    agent_id text,
    status text NOT NULL,
    reason text NOT NULL,
    due_ts bigint NOT NULL,
    closed_ts bigint,
    watermark bigint NOT NULL,
    source_partition integer NOT NULL,
    source_offset bigint NOT NULL,
    PRIMARY KEY (shop_id, order_id, kind)
) PARTITION BY HASH (shop_id);

CREATE INDEX service_task_open ON service_task (shop_id, due_ts) WHERE status = 'open';

CREATE TABLE shop_settings (
    shop_id text NOT NULL,
    source_partition integer NOT NULL,
    source_offset bigint NOT NULL,
    effective_from date NOT NULL,
    record json NOT NULL,
    PRIMARY KEY (shop_id, source_partition, source_offset)
);

CREATE TABLE roster (
    shop_id text NOT NULL,
    agent_id text NOT NULL,
    source_partition integer NOT NULL,
    source_offset bigint NOT NULL,
    effective_from date NOT NULL,
    role text NOT NULL,
    name text,
    agent_group text,
    person_id text,
    PRIMARY KEY (shop_id, agent_id, source_partition, source_offset)
);

CREATE TABLE ruling (
    shop_id text NOT NULL,
    event_id text NOT NULL,
    buyer_id text NOT NULL,
    order_id text NOT NULL,
    ts bigint NOT NULL,
    type text NOT NULL,
    agent_id text,
    ruled_by text NOT NULL,
    source_partition integer NOT NULL,
    source_offset bigint NOT NULL,
    PRIMARY KEY (shop_id, event_id)
);

CREATE INDEX ruling_order ON ruling (shop_id, order_id);

CREATE TABLE dead_letter (
    source_partition integer NOT NULL,
    source_offset bigint NOT NULL,
    known_ts bigint NOT NULL,
    code text NOT NULL,
    field text,
    topic text NOT NULL,
    message text NOT NULL,
    place text NOT NULL,
    shop_id text,
    order_id text,
    PRIMARY KEY (source_partition, source_offset)
);

CREATE INDEX dead_letter_order ON dead_letter (shop_id, order_id) WHERE order_id IS NOT NULL;

CREATE TABLE unstored (
    topic text NOT NULL,
    source_partition integer NOT NULL,
    source_offset bigint NOT NULL,
    known_ts bigint NOT NULL,
    why text NOT NULL,
    record_key bytea,
    value bytea,
    PRIMARY KEY (topic, source_partition, source_offset)
);

CREATE TABLE sink_offset (
    topic text NOT NULL,
    source_partition integer NOT NULL,
    next bigint NOT NULL,
    topic_id text,
    known_ts bigint,
    watermark bigint,
    PRIMARY KEY (topic, source_partition)
);

DO $$
DECLARE
    grown text;
BEGIN
    FOREACH grown IN ARRAY ARRAY[
        'decision', 'decision_revision', 'refund', 'inquiry', 'reception', 'agent_day', 'service_task'
    ] LOOP
        FOR number IN 0..15 LOOP
            EXECUTE format(
                'CREATE TABLE %I PARTITION OF %I FOR VALUES WITH (MODULUS 16, REMAINDER %s)',
                grown || '_' || lpad(number::text, 2, '0'), grown, number
            );
        END LOOP;
    END LOOP;
END
$$;
