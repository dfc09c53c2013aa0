-- Sessions that an administrator can end one by one, and until when an agent has looked at answers to appeals.

ALTER TABLE session ADD COLUMN number bigint GENERATED ALWAYS AS IDENTITY;
ALTER TABLE account_shop ADD COLUMN appeals_seen_ts bigint NOT NULL DEFAULT 0;

CREATE INDEX appeal_answered ON appeal (shop_id, agent_id, ended_ts) WHERE state = 'answered';
