"""Exports of chats and orders as events: which column says what, rows to events, what is refused and why."""
