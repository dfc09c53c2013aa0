-- Changes of settings and roster as people prepare them on the console. One that was published stays: it says who changed
-- what, and from what. The preview is of the content that has its digest; who has seen it is asked before it is published.
CREATE TABLE rule_change (
    shop_id text NOT NULL,
    number bigint GENERATED ALWAYS AS IDENTITY,
    topic text NOT NULL CHECK (topic IN ('shop-settings', 'agent-roster')),
    agent_id text,
    content text NOT NULL,
    digest text NOT NULL,
    before text,
    basis text NOT NULL,
    state text NOT NULL DEFAULT 'draft' CHECK (state IN ('draft', 'published', 'discarded')),
    changed_by text NOT NULL,
    changed_ts bigint NOT NULL,
    preview_state text CHECK (preview_state IN ('running', 'done', 'impossible', 'failed')),
    preview_digest text,
    preview_ts bigint,
    preview_read bigint,
    preview_of bigint,
    preview_problem text,
    preview json,
    seen_by text[] NOT NULL DEFAULT '{}',
    published_by text,
    published_ts bigint,
    published_unseen boolean,
    source_partition integer,
    source_offset bigint,
    PRIMARY KEY (shop_id, number),
    CHECK ((state = 'published') = (published_by IS NOT NULL AND published_ts IS NOT NULL))
);

CREATE INDEX rule_change_source ON rule_change (shop_id, topic, source_partition, source_offset);

ALTER TABLE rule_change ENABLE ROW LEVEL SECURITY;
CREATE POLICY shops ON rule_change FOR SELECT USING (
    CASE current_setting('stream_attr.shops', true)
    WHEN 'all' THEN true
    ELSE shop_id = ANY (nullif(current_setting('stream_attr.shops', true), '')::text[]) END
);

ALTER TABLE audit ADD COLUMN before text, ADD COLUMN after text;
