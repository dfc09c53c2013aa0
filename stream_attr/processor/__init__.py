"""The pure heart: one partition's records in, decisions and changed state out."""

from stream_attr.processor.book import Book
from stream_attr.processor.options import Options, Share
from stream_attr.processor.partition import Processor
from stream_attr.processor.rollup import Rollup

__all__ = ["Book", "Options", "Processor", "Rollup", "Share"]
