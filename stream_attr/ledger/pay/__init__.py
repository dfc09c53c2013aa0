"""Pay out of the ledger: schemes, persons, and a month's runs (docs/guides/paying.md)."""
