-- Pay: schemes, persons, and a month's run of a scheme with a statement for each person. A person may have
-- agents on several shops, so these keys begin with the scheme, the person or the month; none of these tables grows
-- with orders. The reading role gets none of them.

CREATE TABLE pay_scheme (
    scheme_id text NOT NULL,
    version integer NOT NULL,
    effective_from date NOT NULL,
    document json NOT NULL,
    put_by text NOT NULL,
    put_ts bigint NOT NULL,
    PRIMARY KEY (scheme_id, version)
);

CREATE TABLE pay_person (
    person_id text NOT NULL PRIMARY KEY,
    name text,
    scheme_id text NOT NULL,
    first_day date NOT NULL,
    last_day date,
    probation_until date,
    set_by text NOT NULL,
    set_ts bigint NOT NULL,
    CHECK (last_day >= first_day)
);

CREATE TABLE pay_run (
    scheme_id text NOT NULL,
    month date NOT NULL,
    version integer NOT NULL,
    state text NOT NULL,
    persons text[] NOT NULL,
    basis json NOT NULL,
    drafted_by text NOT NULL,
    drafted_ts bigint NOT NULL,
    checked_by text,
    checked_ts bigint,
    approved_by text,
    approved_ts bigint,
    closed_by text,
    closed_ts bigint,
    PRIMARY KEY (scheme_id, month),
    FOREIGN KEY (scheme_id, version) REFERENCES pay_scheme,
    CHECK (extract(day FROM month) = 1),
    CHECK (state IN ('draft', 'checked', 'approved', 'closed')),
    CHECK ((checked_by IS NOT NULL) = (state <> 'draft')),
    CHECK ((approved_by IS NOT NULL) = (state IN ('approved', 'closed'))),
    CHECK ((closed_by IS NOT NULL) = (state = 'closed')),
    CONSTRAINT pay_run_four_eyes CHECK (lower(approved_by) <> lower(drafted_by))
);

CREATE TABLE pay_statement (
    person_id text NOT NULL,
    month date NOT NULL,
    scheme_id text NOT NULL,
    pay bigint NOT NULL,
    true_up bigint NOT NULL,
    total bigint NOT NULL,
    record json NOT NULL,
    PRIMARY KEY (person_id, month),
    FOREIGN KEY (scheme_id, month) REFERENCES pay_run,
    CHECK (total = pay + true_up)
);

CREATE INDEX pay_statement_run ON pay_statement (scheme_id, month);

-- A scheme's version never changes; whoever wants another one puts the next version.
CREATE FUNCTION pay_never_changes() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% of % is refused: it never changes', TG_OP, TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
END
$$;

CREATE TRIGGER pay_scheme_stays BEFORE UPDATE OR DELETE ON pay_scheme
    FOR EACH ROW EXECUTE FUNCTION pay_never_changes();
CREATE TRIGGER pay_scheme_is_not_emptied BEFORE TRUNCATE ON pay_scheme
    FOR EACH STATEMENT EXECUTE FUNCTION pay_never_changes();
CREATE TRIGGER pay_run_is_not_emptied BEFORE TRUNCATE ON pay_run
    FOR EACH STATEMENT EXECUTE FUNCTION pay_never_changes();
CREATE TRIGGER pay_statement_is_not_emptied BEFORE TRUNCATE ON pay_statement
    FOR EACH STATEMENT EXECUTE FUNCTION pay_never_changes();

-- A run goes draft, checked, approved, closed, one step at a time, or back to draft; what it says changes in a draft
-- alone, and nothing of it once it is closed.
CREATE FUNCTION pay_run_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        IF NEW.state <> 'draft' THEN
            RAISE EXCEPTION 'a run begins as a draft' USING ERRCODE = 'restrict_violation';
        END IF;
        RETURN NEW;
    END IF;
    IF OLD.state = 'closed' THEN
        RAISE EXCEPTION 'the run of % for % is closed: it never changes', OLD.scheme_id, to_char(OLD.month, 'YYYY-MM')
            USING ERRCODE = 'restrict_violation';
    END IF;
    IF TG_OP = 'DELETE' THEN
        RETURN OLD;
    END IF;
    IF NEW.state <> 'draft' AND (
        (OLD.state, NEW.state) NOT IN (('draft', 'checked'), ('checked', 'approved'), ('approved', 'closed'))
        OR (NEW.scheme_id, NEW.month, NEW.version, NEW.persons, NEW.basis::text, NEW.drafted_by, NEW.drafted_ts)
            IS DISTINCT FROM
            (OLD.scheme_id, OLD.month, OLD.version, OLD.persons, OLD.basis::text, OLD.drafted_by, OLD.drafted_ts)
        OR (OLD.state <> 'draft' AND (NEW.checked_by, NEW.checked_ts) IS DISTINCT FROM (OLD.checked_by, OLD.checked_ts))
        OR (OLD.state = 'approved'
            AND (NEW.approved_by, NEW.approved_ts) IS DISTINCT FROM (OLD.approved_by, OLD.approved_ts))
    ) THEN
        RAISE EXCEPTION 'the run of % for % is %: only a draft changes', OLD.scheme_id, to_char(OLD.month, 'YYYY-MM'),
            OLD.state USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END
$$;

CREATE TRIGGER pay_run_guarded BEFORE INSERT OR UPDATE OR DELETE ON pay_run
    FOR EACH ROW EXECUTE FUNCTION pay_run_guard();

-- Statements are written, changed and deleted in a draft alone. The share lock waits for a step of the run.
CREATE FUNCTION pay_statement_guard() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    found text;
BEGIN
    IF TG_OP <> 'INSERT' THEN
        SELECT state INTO found FROM stream_attr.pay_run
            WHERE scheme_id = OLD.scheme_id AND month = OLD.month FOR SHARE;
        IF found <> 'draft' THEN
            RAISE EXCEPTION 'the run of % for % is %: its statements never change', OLD.scheme_id,
                to_char(OLD.month, 'YYYY-MM'), found USING ERRCODE = 'restrict_violation';
        END IF;
    END IF;
    IF TG_OP = 'DELETE' THEN
        RETURN OLD;
    END IF;
    SELECT state INTO found FROM stream_attr.pay_run
        WHERE scheme_id = NEW.scheme_id AND month = NEW.month FOR SHARE;
    IF found <> 'draft' THEN
        RAISE EXCEPTION 'the run of % for % is %: its statements never change', NEW.scheme_id,
            to_char(NEW.month, 'YYYY-MM'), found USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END
$$;

CREATE TRIGGER pay_statement_guarded BEFORE INSERT OR UPDATE OR DELETE ON pay_statement
    FOR EACH ROW EXECUTE FUNCTION pay_statement_guard();
