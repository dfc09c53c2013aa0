-- What the chat of a day comes to, so that reports of months need not read every reception. The sink makes it of a day
-- that is over; a row is there only while it is right.

CREATE TABLE day_roll_up (
    shop_id text NOT NULL,
    day date NOT NULL,
    form integer NOT NULL,
    zone text NOT NULL,
    day_cut text NOT NULL,
    content json NOT NULL,
    PRIMARY KEY (shop_id, day)
);

ALTER TABLE day_roll_up ENABLE ROW LEVEL SECURITY;
CREATE POLICY shops ON day_roll_up FOR SELECT USING (
    CASE (SELECT current_setting('stream_attr.shops', true))
        WHEN 'all' THEN true
        ELSE shop_id = ANY (
            (SELECT nullif(nullif(current_setting('stream_attr.shops', true), 'all'), '')::text[])::text[]
        )
    END
);

-- Whoever changes receptions or inquiries deletes what their days came to, and those beside them into which a chat may
-- run, before anybody sees the change. Who makes days holds a lock that this one waits for, and waits for the end of
-- whoever has this one: nothing is made of what is about to change. The lock comes before the snapshot that is read.
CREATE FUNCTION day_roll_up_is_empty() RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
    LOCK TABLE stream_attr.day_roll_up IN ROW EXCLUSIVE MODE;
    RETURN NOT EXISTS (SELECT FROM stream_attr.day_roll_up);
END
$$;

CREATE FUNCTION day_roll_up_delete(shops text[], days date[]) RETURNS void LANGUAGE sql AS $$
    DELETE FROM stream_attr.day_roll_up AS made USING (
        SELECT shop_id, day FROM stream_attr.day_roll_up WHERE (shop_id, day) IN (
            SELECT one.shop_id, one.day + step
            FROM unnest(shops, days) AS one (shop_id, day) CROSS JOIN generate_series(-1, 1) AS step
        ) ORDER BY shop_id, day FOR UPDATE
    ) AS outdated WHERE made.shop_id = outdated.shop_id AND made.day = outdated.day
$$;

CREATE FUNCTION day_roll_up_written() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT stream_attr.day_roll_up_is_empty() THEN
        PERFORM stream_attr.day_roll_up_delete(array_agg(shop_id), array_agg(day))
            FROM (SELECT DISTINCT shop_id, day FROM written) AS one;
    END IF;
    RETURN NULL;
END
$$;

-- A revision that leaves all as it was that a day is made of, such as one that is final, lets the day stand.
CREATE FUNCTION day_roll_up_reception_revised() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT stream_attr.day_roll_up_is_empty() THEN
        PERFORM stream_attr.day_roll_up_delete(array_agg(shop_id), array_agg(day)) FROM (
            SELECT DISTINCT shop_id, day FROM (
                SELECT shop_id, day, buyer_id, agent_id, first_ts, initiator, buyer_messages, agent_messages,
                    agent_characters, replied, first_response_ms, slow, duration_ms, effective_conversation,
                    transferred, handed_over, presence, filtered, role FROM written
                EXCEPT
                SELECT shop_id, day, buyer_id, agent_id, first_ts, initiator, buyer_messages, agent_messages,
                    agent_characters, replied, first_response_ms, slow, duration_ms, effective_conversation,
                    transferred, handed_over, presence, filtered, role FROM replaced
            ) AS other
        ) AS one;
    END IF;
    RETURN NULL;
END
$$;

CREATE FUNCTION day_roll_up_inquiry_revised() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT stream_attr.day_roll_up_is_empty() THEN
        PERFORM stream_attr.day_roll_up_delete(array_agg(shop_id), array_agg(day)) FROM (
            SELECT DISTINCT shop_id, day FROM (
                SELECT shop_id, day, buyer_id, agent_id, kind, outcome, exempt FROM written
                EXCEPT SELECT shop_id, day, buyer_id, agent_id, kind, outcome, exempt FROM replaced
            ) AS other
        ) AS one;
    END IF;
    RETURN NULL;
END
$$;

CREATE TRIGGER day_roll_up_written AFTER INSERT ON reception REFERENCING NEW TABLE AS written
    FOR EACH STATEMENT EXECUTE FUNCTION day_roll_up_written();
CREATE TRIGGER day_roll_up_written AFTER INSERT ON inquiry REFERENCING NEW TABLE AS written
    FOR EACH STATEMENT EXECUTE FUNCTION day_roll_up_written();
CREATE TRIGGER day_roll_up_deleted AFTER DELETE ON reception REFERENCING OLD TABLE AS written
    FOR EACH STATEMENT EXECUTE FUNCTION day_roll_up_written();
CREATE TRIGGER day_roll_up_deleted AFTER DELETE ON inquiry REFERENCING OLD TABLE AS written
    FOR EACH STATEMENT EXECUTE FUNCTION day_roll_up_written();
CREATE TRIGGER day_roll_up_revised AFTER UPDATE ON reception REFERENCING OLD TABLE AS replaced NEW TABLE AS written
    FOR EACH STATEMENT EXECUTE FUNCTION day_roll_up_reception_revised();
CREATE TRIGGER day_roll_up_revised AFTER UPDATE ON inquiry REFERENCING OLD TABLE AS replaced NEW TABLE AS written
    FOR EACH STATEMENT EXECUTE FUNCTION day_roll_up_inquiry_revised();
