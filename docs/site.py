"""Hooks of the documentation site: pages that live outside ``docs/``, and GitHub's anchors.

The documents link to each other by their places in the repository. What they link to outside ``docs/``
(READMEs, schemas, manifests) becomes part of the site under ``repository/``, and the links are rewritten.
"""

from __future__ import annotations

import posixpath
import re
from pathlib import Path
from typing import Any

from properdocs.structure.files import File, Files

ROOT = Path(__file__).resolve().parents[1]
OUTSIDE = "repository/"
EXTRA_PAGES = (
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "README.md",
    "README.zh-CN.md",
    "SECURITY.md",
    "deploy/README.md",
    "schemas/README.md",
    "tests/scenarios/README.md",
)
"""Documents outside ``docs/``, by their places in the repository."""

_LINK = re.compile(r"(\]\()([^)\s#]+)((?:#[^)\s]*)?\))")
_FENCE = re.compile(r"^(```.*?^```$)", re.MULTILINE | re.DOTALL)
_NOTES = re.compile(r"\A(```\w*) .*")
"""What the tests read after a block's kind, and Markdown does not: ``no-run``, ``background``, ``live``."""
_LIST_ITEM = re.compile(r"^   (?=\S)", re.MULTILINE)
"""A continuation of ``1. …``, by three columns; Python-Markdown asks for four."""


def github_anchor(heading: str, separator: str) -> str:
    """Return what GitHub makes of a heading, so that links work in both places."""
    return re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", separator)


def on_config(config: Any) -> Any:
    """Use GitHub's anchors."""
    config.mdx_configs.setdefault("toc", {})["slugify"] = github_anchor
    return config


def on_files(files: Files, config: Any) -> Files:
    """Add the documents outside ``docs/`` and every file that some document links to."""
    linked: set[str] = set(EXTRA_PAGES)
    documents = [*ROOT.joinpath("docs").rglob("*.md"), *(ROOT / page for page in EXTRA_PAGES)]
    for document in documents:
        for _, target, _ in _LINK.findall(document.read_text(encoding="utf-8")):
            place = _place(document.relative_to(ROOT).as_posix(), target)
            if place is not None and not place.startswith("docs/") and (ROOT / place).is_file():
                linked.add(place)
    for place in sorted(linked):
        files.append(File.generated(config, f"{OUTSIDE}{place}", abs_src_path=str(ROOT / place)))
    return files


def on_page_markdown(markdown: str, page: Any, **_: Any) -> str:
    """Rewrite the links of a page from places in the repository to places in the site."""
    here = page.file.src_uri
    source = here.removeprefix(OUTSIDE) if here.startswith(OUTSIDE) else f"docs/{here}"

    def rewritten(match: re.Match[str]) -> str:
        place = _place(source, match[2])
        if place is None or not (ROOT / place).is_file():
            return match[0]
        there = place.removeprefix("docs/") if place.startswith("docs/") else f"{OUTSIDE}{place}"
        return f"{match[1]}{posixpath.relpath(there, posixpath.dirname(here) or '.')}{match[3]}"

    pieces = _FENCE.split(markdown)  # every second one is a fenced block
    pieces[::2] = [_LIST_ITEM.sub("    ", _LINK.sub(rewritten, text)) for text in pieces[::2]]
    pieces[1::2] = [_NOTES.sub(r"\1", block) for block in pieces[1::2]]
    return "".join(pieces)


def _place(source: str, target: str) -> str | None:
    """Return a link's target as a place in the repository; None for what lies elsewhere."""
    if re.match(r"[a-z]+:", target):
        return None
    return posixpath.normpath(posixpath.join(posixpath.dirname(source), target))
