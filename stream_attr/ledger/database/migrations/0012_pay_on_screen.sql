-- Pay is looked at in the console, and each page as the role that sees rows of the persons in stream_attr.persons
-- alone: an empty setting lets nobody see a row, 'all' every row, else the persons of an array's text. The owner, who
-- calculates and writes, is not subject to it. Within a run's row stands what it was calculated from, of all its
-- persons: the console shows a run to whoever may see each of them.

ALTER TABLE pay_scheme ENABLE ROW LEVEL SECURITY;
ALTER TABLE pay_person ENABLE ROW LEVEL SECURITY;
ALTER TABLE pay_run ENABLE ROW LEVEL SECURITY;
ALTER TABLE pay_statement ENABLE ROW LEVEL SECURITY;

CREATE FUNCTION pay_seen(persons text[]) RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT CASE current_setting('stream_attr.persons', true) WHEN 'all' THEN true ELSE
        persons && nullif(current_setting('stream_attr.persons', true), '')::text[] END
$$;

CREATE POLICY persons ON pay_person FOR SELECT USING (pay_seen(ARRAY[person_id]));
CREATE POLICY persons ON pay_statement FOR SELECT USING (pay_seen(ARRAY[person_id]));
CREATE POLICY persons ON pay_run FOR SELECT USING (pay_seen(persons));
-- A scheme names nobody.
CREATE POLICY persons ON pay_scheme FOR SELECT USING (nullif(current_setting('stream_attr.persons', true), '') IS NOT NULL);
