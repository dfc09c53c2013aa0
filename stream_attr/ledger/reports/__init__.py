"""Reports over the ledger, one module each."""
