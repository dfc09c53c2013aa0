"""The ledger: every revision in PostgreSQL, and the reports that people read and are paid by."""
