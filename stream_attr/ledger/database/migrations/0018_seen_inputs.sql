-- What the workers have noticed of the inputs; null: they were older and noticed nothing.

ALTER TABLE input_partition
    ADD COLUMN keys bigint,
    ADD COLUMN murmur2_keys bigint,
    ADD COLUMN other_content bigint;
