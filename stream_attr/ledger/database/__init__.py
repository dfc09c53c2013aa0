"""The ledger's database: our own PostgreSQL or any by URL, its tables and their migrations."""
