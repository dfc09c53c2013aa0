"""The naive reference model: the rulebook in plain, slow Python that recomputes everything from scratch.

Written from the rulebook alone, never from the product's code: where the two disagree, one of them has a bug.
"""
