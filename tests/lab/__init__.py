"""Tests of the lab of rules."""
