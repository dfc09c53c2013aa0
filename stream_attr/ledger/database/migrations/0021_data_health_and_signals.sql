-- What data health reads of each day's orders, and signals of orders that two agents had a part in, without scanning
-- the receipts.

DROP INDEX decision_created;
CREATE INDEX decision_created ON decision (shop_id, created_ts) INCLUDE (buyer_id, notices) WHERE profile = 'official';
CREATE INDEX decision_two_agents ON decision (shop_id, counted_ts)
    WHERE profile = 'official' AND placing_agent_id <> payment_agent_id;
CREATE INDEX decision_revision_created ON decision_revision (shop_id, created_ts) INCLUDE (order_id, buyer_id)
    WHERE profile = 'official';
