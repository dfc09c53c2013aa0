"""Bytes from and to core values: inbound records, outbound records, stored state."""
