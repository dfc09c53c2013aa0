"""Bytes from and to values of the rules: input records, output records, stored state."""
