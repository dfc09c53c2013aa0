-- How far the workers have read the inputs, partition by partition: a partition at which no worker gets on adds no
-- records, and so does not show in what is read of the outputs.

CREATE TABLE input_partition (
    topic text NOT NULL,
    source_partition integer NOT NULL,
    next bigint NOT NULL,
    seen_ts bigint,
    watermark bigint,
    known_ts bigint NOT NULL,
    PRIMARY KEY (topic, source_partition)
);
