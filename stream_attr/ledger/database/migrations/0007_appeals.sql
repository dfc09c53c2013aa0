-- Appeals against decisions, and who answered them; and which person an account is, so that nobody answers an
-- appeal about oneself.

ALTER TABLE account ADD COLUMN person_id text;

CREATE TABLE appeal (
    shop_id text NOT NULL,
    appeal_id text NOT NULL,
    order_id text NOT NULL,
    agent_id text NOT NULL,
    reason text NOT NULL CHECK (reason IN (
        'served_buyer', 'filtered', 'outside_chat', 'handed_over', 'agreed', 'not_mine', 'wrong_data', 'other'
    )),
    said text NOT NULL,
    expected_agent_id text,
    held_agent_id text,
    revision integer NOT NULL,
    opened_by text NOT NULL,
    opened_ts bigint NOT NULL,
    state text NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'answered', 'withdrawn')),
    answer text CHECK (answer IN ('granted', 'granted_in_part', 'refused')),
    answer_said text,
    answered_by text,
    ruling json,
    ended_ts bigint,
    PRIMARY KEY (shop_id, appeal_id),
    CHECK (expected_agent_id IS DISTINCT FROM held_agent_id),
    CHECK ((ended_ts IS NULL) = (state = 'open')),
    CHECK ((answer IS NULL) = (answered_by IS NULL) AND (answer IS NULL) = (answer_said IS NULL)),
    CHECK ((ruling IS NOT NULL) = coalesce(answer IN ('granted', 'granted_in_part'), false)),
    CHECK (state <> 'answered' OR answer IS NOT NULL),
    CHECK (state <> 'withdrawn' OR answer IS NULL),
    CHECK (state <> 'open' OR answer IS NULL OR ruling IS NOT NULL),
    CONSTRAINT appeal_four_eyes CHECK (lower(answered_by) <> lower(opened_by))
);

CREATE UNIQUE INDEX appeal_open ON appeal (shop_id, order_id, agent_id) WHERE state = 'open';
CREATE UNIQUE INDEX appeal_once ON appeal (shop_id, order_id, agent_id, revision) WHERE state <> 'withdrawn';
CREATE INDEX appeal_age ON appeal (shop_id, state, opened_ts);
CREATE INDEX appeal_unsent ON appeal (shop_id) WHERE state = 'open' AND ruling IS NOT NULL;

ALTER TABLE appeal ENABLE ROW LEVEL SECURITY;
CREATE POLICY shops ON appeal FOR SELECT USING (
    CASE current_setting('stream_attr.shops', true)
        WHEN 'all' THEN true
        ELSE shop_id = ANY (nullif(current_setting('stream_attr.shops', true), '')::text[])
    END
);

-- What was asked never changes, nor an answer once its ruling may have been sent; nothing is deleted.
CREATE FUNCTION appeal_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND OLD.state = 'open'
        AND (OLD.shop_id, OLD.appeal_id, OLD.order_id, OLD.agent_id, OLD.reason, OLD.said, OLD.expected_agent_id,
            OLD.held_agent_id, OLD.revision, OLD.opened_by, OLD.opened_ts)
        IS NOT DISTINCT FROM (NEW.shop_id, NEW.appeal_id, NEW.order_id, NEW.agent_id, NEW.reason, NEW.said,
            NEW.expected_agent_id, NEW.held_agent_id, NEW.revision, NEW.opened_by, NEW.opened_ts)
        AND (OLD.ruling IS NULL OR (OLD.answer, OLD.answer_said, OLD.answered_by, OLD.ruling::text)
            IS NOT DISTINCT FROM (NEW.answer, NEW.answer_said, NEW.answered_by, NEW.ruling::text))
    THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION '% of appeal % is refused: what was asked and answered never changes', TG_OP, OLD.appeal_id
        USING ERRCODE = 'restrict_violation';
END
$$;

CREATE TRIGGER appeal_guarded BEFORE UPDATE OR DELETE ON appeal
    FOR EACH ROW EXECUTE FUNCTION appeal_guard();
