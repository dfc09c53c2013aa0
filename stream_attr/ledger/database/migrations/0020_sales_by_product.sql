-- Which product an order counts for, in the index that reports of sales read: they need not fetch the receipts.

ALTER TABLE decision ADD COLUMN product_id text GENERATED ALWAYS AS
    (CASE WHEN cardinality(product_ids) > 1 THEN '|' ELSE product_ids[1] END) STORED;

DROP INDEX decision_counted;
CREATE INDEX decision_counted ON decision (shop_id, counted_ts, order_id) INCLUDE (
    outcome, status, agent_id, buyer_id, currency, amount, quantity, refund_requested, refund_completed, product_id
) WHERE profile = 'official';
