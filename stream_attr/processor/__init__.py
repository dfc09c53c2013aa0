"""The processor: one partition's records in, decisions and changed state out; it does no I/O."""

from stream_attr.processor.options import Options, Share
from stream_attr.processor.processor import Processor
from stream_attr.processor.rollup import Rollup
from stream_attr.processor.shops import ShopRegistry

__all__ = ["Options", "Processor", "Rollup", "Share", "ShopRegistry"]
