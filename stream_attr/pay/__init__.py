"""Pay: from a scheme, figures and orders to the lines of each person's statement (docs/pay.md).

Pure: no files, no database, no clock. `reading.read_scheme` checks a scheme, `calculator.calculate` applies
it, `true_ups.settle` says what of earlier months is paid or taken back now.
"""
