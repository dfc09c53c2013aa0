"""Reports as tables, CSV, workbooks and JSON: the same rows, in the same order, with the same digits."""
