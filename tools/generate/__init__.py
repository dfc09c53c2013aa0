"""Writes the files, and the parts of files, that derive from the code: ``python -m tools.generate``.

With ``--check`` it writes nothing, and names what differs and which changes of a schema break readers.
"""
