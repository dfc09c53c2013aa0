"""The pure heart: one partition's records in, decisions and changed state out."""

from stream_attr.processor.book import Book
from stream_attr.processor.options import Options, Share
from stream_attr.processor.partition import Processor

__all__ = ["Book", "Options", "Processor", "Share"]
