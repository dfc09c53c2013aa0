"""Pay out of the ledger: schemes, persons, and a month's runs with their statements (docs/guides/paying.md)."""
