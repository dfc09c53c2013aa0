"""The sink: records as rows, batches, and where they come from."""
