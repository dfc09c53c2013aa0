-- Names in plain words: the comment of an appeal and of its answer, and when the progress of a lab trial was written.

ALTER TABLE appeal RENAME COLUMN said TO comment;
ALTER TABLE appeal RENAME COLUMN answer_said TO answer_comment;
ALTER TABLE lab_trial RENAME COLUMN told_ts TO progress_ts;

-- As before with the new names: a function keeps the names of columns as text.
CREATE OR REPLACE FUNCTION appeal_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND OLD.state = 'open'
        AND (OLD.shop_id, OLD.appeal_id, OLD.order_id, OLD.agent_id, OLD.reason, OLD.comment, OLD.expected_agent_id,
            OLD.held_agent_id, OLD.revision, OLD.opened_by, OLD.opened_ts)
        IS NOT DISTINCT FROM (NEW.shop_id, NEW.appeal_id, NEW.order_id, NEW.agent_id, NEW.reason, NEW.comment,
            NEW.expected_agent_id, NEW.held_agent_id, NEW.revision, NEW.opened_by, NEW.opened_ts)
        AND (OLD.ruling IS NULL OR (OLD.answer, OLD.answer_comment, OLD.answered_by, OLD.ruling::text)
            IS NOT DISTINCT FROM (NEW.answer, NEW.answer_comment, NEW.answered_by, NEW.ruling::text))
    THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION '% of appeal % is refused: what was asked and answered never changes', TG_OP, OLD.appeal_id
        USING ERRCODE = 'restrict_violation';
END
$$;
