"""``python -m stream_attr``: the same as the command ``stream-attr``."""

from stream_attr.cli import main

main()
