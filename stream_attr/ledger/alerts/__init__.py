"""Alerts: rules on figures of a sliding window, sent as they begin and as they end (LEDGER 6)."""
