"""Text of unknown origin made safe to show: nothing in it moves a cursor, hides text or starts a line.

Everything shown in a terminal, a log or a table passes through here: control characters, bidirectional and
zero-width ones and lone surrogates appear as escapes.
"""

from __future__ import annotations

import json
import re

__all__ = ["visible", "visible_json", "visible_lines"]

_VARIATION = "\ufe00-\ufe0f\U000e0100-\U000e01ef"
"""Variation selectors: they choose between forms of the character before them, as of an emoji or a name."""
_INVISIBLE = re.compile(
    # What str.isprintable() takes for printable although it has no width of its own (Unicode's
    # Default_Ignorable_Code_Point), and the blank Braille pattern.
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180d\u180f\u3164\uffa0\u2800]"
    f"|(?<![^\x00-\x7f{_VARIATION}])[{_VARIATION}]"
)
_IDEOGRAPHIC_SPACE = "\u3000"
"""As wide as a Chinese character, and usual in Chinese names; to str.isprintable() it is not printable."""


def visible(text: str) -> str:
    """Return text on one line, with everything that is not seen as an escape, such as ``\\u202e``.

    Letters of all scripts, combining marks and emoji stay; of a sequence of emoji the joiner is shown.
    A backslash stays as it is, so that doing it twice changes nothing.
    """
    if text.isascii() and text.isprintable():
        return text
    shown = "".join(char if _is_seen(char) else _escaped(char) for char in text)
    return _INVISIBLE.sub(lambda found: _escaped(found[0]), shown)


def visible_lines(text: str) -> str:
    """Return text that is meant to have several lines: as ``visible``, but for its line feeds."""
    return "\n".join(map(visible, text.split("\n")))


def visible_json(data: bytes) -> bytes:
    """Return JSON on one line, with everything that is not seen as ``\\uXXXX``; it parses to the same value.

    ``data`` is valid JSON: controls stand between its tokens only, where a space does as well. Bytes that are
    not UTF-8 become U+FFFD.
    """
    text = data.decode(errors="replace")
    if text.isascii() and text.isprintable():
        return data
    shown = "".join(
        char if _is_seen(char) else " " if char in "\t\r\n" else _json_escaped(char) for char in text
    )
    return _INVISIBLE.sub(lambda found: _json_escaped(found[0]), shown).encode()


def _is_seen(char: str) -> bool:
    return char.isprintable() or char == _IDEOGRAPHIC_SPACE


def _json_escaped(char: str) -> str:
    return json.dumps(char)[1:-1]


def _escaped(char: str) -> str:
    return char.encode("unicode_escape").decode()
