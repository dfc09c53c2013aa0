-- What was ordered, for reports by product; null: of records made before decisions named it.

ALTER TABLE decision ADD COLUMN product_ids text[];
ALTER TABLE decision_revision ADD COLUMN product_ids text[];
