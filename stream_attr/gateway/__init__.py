"""From platforms to our topics: webhooks are kept as they come, and what was kept becomes events."""
