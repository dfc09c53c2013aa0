"""What the chat of a day comes to."""
