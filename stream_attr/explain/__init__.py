"""Explanations: a decision, or a buyer's day, in sentences of a language.

`explain_decision` takes a record of ``attribution-decisions``, `explain_buyer_day` a `BuyerDayView`; both
return lines, and `explained` those of a decision by what they are about. ``from_worker``, ``from_replay``
and ``from_events`` get these from a worker, from the output of ``replay`` and from event files. ``verify``
checks a verdict against its receipt. The sentences are gettext catalogues in ``locale``.
"""
