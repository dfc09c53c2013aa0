"""stream_attr: decides, as a stream, which customer-service agent earned each order."""

__version__ = "0.1.0"
