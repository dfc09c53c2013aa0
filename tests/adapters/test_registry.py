"""The registry: every adapter is in it, named alike everywhere, told honestly, and pure."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from stream_attr import adapters
from stream_attr.adapters.adapter import SURENESS, SURENESS_IN_CHINESE, Sureness
from stream_attr.adapters.registry import ADAPTERS
from stream_attr.adapters.skips import IN_CHINESE, MEANINGS, Reason
from stream_attr.adapters.units import Unit
from tests.docs.blocks import ROOT

FOLDER = Path(adapters.__file__).parent
PAGES = ROOT / "docs" / "adapters"
IMPURE = {
    *(
        "asyncio",
        "os",
        "pathlib",
        "random",
        "secrets",
        "socket",
        "subprocess",
        "threading",
        "time",
        "urllib.request",
    ),
    *("urllib.request", "aiohttp", "aiokafka", "confluent_kafka", "faust", "requests"),
}


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.py")), ids=lambda path: path.stem)
def test_nothing_here_reads_or_writes_anything_but_its_arguments(path):
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names = [one.name for one in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = [node.module or ""]
        elif isinstance(node, ast.Call):
            called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            assert called not in {"open", "now", "utcnow", "today", "fromtimestamp", "print"}, called
            continue
        else:
            continue
        assert not IMPURE.intersection(names), names
        assert not any(name.startswith(("stream_attr.kafka", "stream_attr.worker")) for name in names)


@pytest.mark.parametrize("platform", ADAPTERS)
def test_no_amount_of_a_platform_goes_through_a_float(platform):
    source = (FOLDER / f"{platform}.py").read_text(encoding="utf-8")
    assert "float(" not in source


@pytest.mark.parametrize(("platform", "adapter"), ADAPTERS.items())
def test_each_has_a_page_with_what_its_code_says(platform, adapter):
    """The tables are generated, and `make check` compares them."""
    assert adapter.platform == platform
    page = (PAGES / f"{platform}.md").read_text(encoding="utf-8")
    assert f"<!-- generated: adapter-{platform.replace('_', '-')} -->" in page
    assert f"Sure by **{adapter.sureness}**" in page
    assert ("answers next" in page) is adapter.shared_inbox
    assert "Not reported" in page or "Not in messages" in page


def test_the_code_of_the_overview_does_what_it_shows(capsys):
    page = (PAGES / "README.md").read_text(encoding="utf-8")
    program, shown = re.findall(r"^```(?:python|text)\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    exec(compile(program, "README.md", "exec"), {})
    assert capsys.readouterr().out == shown


def test_every_word_has_its_meaning():
    assert MEANINGS.keys() == IN_CHINESE.keys() == set(Reason)
    assert SURENESS.keys() == SURENESS_IN_CHINESE.keys() == set(Sureness)


@pytest.mark.parametrize(("platform", "adapter"), ADAPTERS.items())
def test_details_and_fields_are_those_that_are_read(platform, adapter):
    source = (FOLDER / f"{platform}.py").read_text(encoding="utf-8")
    if platform == "jd":
        source += (FOLDER / "jd_chats.py").read_text(encoding="utf-8")
    asked = set(re.findall(r'\.detail\(\s*"(\w+)"', source))
    assert asked == {resource for resource, _ in adapter.details}
    for name, unit in adapter.fields.units.items():
        assert isinstance(unit, Unit)
        assert source.count(f'"{name}"') > 1, f"{name} is in the table and is not read"


@pytest.mark.parametrize(
    "adapter", [one for one in ADAPTERS.values() if one.sureness is Sureness.EXPERIMENTAL]
)
def test_what_is_partly_a_guess_is_marked(adapter):
    source = (FOLDER / f"{adapter.platform}.py").read_text(encoding="utf-8")
    assert "Experimental." in source
