-- The audit by person and kind, and refused records by shop and time, without reading all of them.

CREATE INDEX audit_login ON audit (login, number);
CREATE INDEX audit_action ON audit (action, number);
CREATE INDEX audit_ts ON audit (ts);
CREATE INDEX dead_letter_shop ON dead_letter (shop_id, known_ts);
CREATE INDEX dead_letter_known ON dead_letter (known_ts);
