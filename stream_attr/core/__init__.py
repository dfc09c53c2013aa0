"""The judging itself: facts in, verdicts out. No I/O, no clock, no randomness."""
