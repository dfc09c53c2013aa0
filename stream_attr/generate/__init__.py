"""Realistic traffic from a seed: the chat and orders of a few shops over some days."""

from stream_attr.generate.traffic import Day, Plan, Sample, write

__all__ = ["Day", "Plan", "Sample", "write"]
