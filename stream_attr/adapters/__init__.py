"""What platforms send, made into chat and order events: one pure module per platform (docs/adapters)."""
