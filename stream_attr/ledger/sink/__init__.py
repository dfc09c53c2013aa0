"""From output topics, or the files of a replay, into the ledger."""
