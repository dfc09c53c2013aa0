"""Alerts: rules on figures of a sliding window, told once as they begin and once as they end (LEDGER 6)."""
