"""Points in time, durations, addresses and folders on the command line."""

from __future__ import annotations

from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from stream_attr.cli import main
from stream_attr.cli.params import (
    BROKER,
    DURATION,
    EXISTING_FOLDER,
    FOLDER,
    SESSION,
    SPEED,
    TIME,
    TOPIC_PREFIX,
    WEB_URL,
)


@pytest.mark.parametrize(
    ("said", "ts"),
    [
        ("1793500000000", 1_793_500_000_000),
        ("2026-11-01T00:00:00Z", 1_793_491_200_000),
        ("2026-11-01T00:00:00z", 1_793_491_200_000),
        ("2026-11-01t08:00:00+08:00", 1_793_491_200_000),
        ("2026-11-01 08:00:00+08:00", 1_793_491_200_000),
        ("2026-10-31T20:00:00-04:00", 1_793_491_200_000),
        ("2026-11-01T00:00:00.001Z", 1_793_491_200_001),
        ("2026-11-01T00:00:00.0019Z", 1_793_491_200_001),
        ("946684800000", 946_684_800_000),
        ("2000-01-01T00:00:00Z", 946_684_800_000),
        ("4102444799999", 4_102_444_799_999),
        ("2099-12-31T23:59:59.999Z", 4_102_444_799_999),
    ],
)
def test_time(said, ts):
    assert TIME.convert(said, None, None) == ts


@pytest.mark.parametrize(
    "said",
    [
        "", "now", "2026-11-01", "2026-11-01T00:00:00", "2026-W44-7T00:00:00Z", "2026-11-01T00:00Z",
        "2026-13-01T00:00:00Z", "2026-11-01T24:00:01Z", "2026-02-30T00:00:00Z",
        "1793500000", "946684799999", "4102444800000", "1999-12-31T23:59:59.999Z", "2100-01-01T00:00:00Z",
        "1" * 5000, "-1", "1.7935e12", "１７９３５００００００００",
    ],
)  # fmt: skip
def test_no_time(said):
    with pytest.raises(click.BadParameter):
        TIME.convert(said, None, None)


@pytest.mark.parametrize(
    ("said", "ms"),
    [
        ("500ms", 500),
        ("90s", 90_000),
        ("5m", 300_000),
        ("36h", 129_600_000),
        ("60d", 5_184_000_000),
        ("0s", 0),
        ("36525d", 3_155_760_000_000),
    ],
)
def test_duration(said, ms):
    assert DURATION.convert(said, None, None) == ms


@pytest.mark.parametrize(
    "said",
    ["", "5", "m", "5 m", "-5m", "1.5h", "1h30m", "5M", "2w", "36526d", "99999999999999d", "9" * 5000 + "s"],
)
def test_no_duration(said):
    with pytest.raises(click.BadParameter):
        DURATION.convert(said, None, None)


def test_a_session_lasts_a_second_at_least():
    assert SESSION.convert("1s", None, None) == 1000
    with pytest.raises(click.BadParameter, match="'0s' is not in the range 1s to 30m"):
        SESSION.convert("0s", None, None)


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("127.0.0.1:9092", "127.0.0.1:9092"),
        ("kafka_1.shop-net:1, b:65535", "kafka_1.shop-net:1,b:65535"),
        ("[::1]:9092", "[::1]:9092"),
    ],
)
def test_broker(said, meant):
    assert BROKER.convert(said, None, None) == meant


@pytest.mark.parametrize(
    "said",
    [
        "", " ", ",", "a:1,", "a:1,,b:2", "localhost", ":9092", "127.0.0.1:", "127.0.0.1:99999",
        "127.0.0.1:0", "127.0.0.1:abc", "127.0.0.1:-1", "http://127.0.0.1:9092", "127.0.0.1:9092/",
        "a b:1", "::1:9092", "127.0.0.1:９０９２",
    ],
)  # fmt: skip
def test_no_broker(said):
    with pytest.raises(click.BadParameter):
        BROKER.convert(said, None, None)


def test_a_topic_prefix_has_the_characters_of_a_topic():
    for said in ("", "shop-1.", "A_"):
        assert TOPIC_PREFIX.convert(said, None, None) == said
    for said in ("b d|", "店", "a/b", "a\n", "a" * 201):
        with pytest.raises(click.BadParameter):
            TOPIC_PREFIX.convert(said, None, None)


@pytest.mark.parametrize(
    "said", ["http://127.0.0.1:6066", "https://shop.example/worker/", "http://[::1]:6066", "http://worker-1"]
)
def test_web_url(said):
    assert WEB_URL.convert(said, None, None) == said


@pytest.mark.parametrize(
    "said",
    [
        "", "foo", "nonsense", "127.0.0.1:6066", "http://", "http://:6066", "http://127.0.0.1:abc",
        "http://127.0.0.1:99999", "http://127.0.0.1:0", "ftp://a:1", "http://a b", "http://a?b", "http://[::1",
        "http://a\n",
    ],
)  # fmt: skip
def test_no_web_url(said):
    with pytest.raises(click.BadParameter):
        WEB_URL.convert(said, None, None)


@pytest.mark.parametrize("command", [["worker", "--web-url"], ["explain", "jd:1", "o1", "--url"]])
@pytest.mark.parametrize("url", ["http://me:geheim@127.0.0.1:6066", "ftp://me:geheim@a", "me:geheim@a:1"])
def test_a_web_address_with_a_password_is_refused_without_showing_it(command, url):
    done = CliRunner().invoke(main, [*command, url])
    assert done.exit_code == 2
    assert "a web address is given without user and password, see --web-token-file" in done.stderr
    assert "geheim" not in done.output


@pytest.mark.parametrize("said", ["nan", "inf", "-inf", "1e999", "0", "-1", "fast"])
def test_no_speed(said):
    with pytest.raises(click.BadParameter):
        SPEED.convert(said, None, None)


def test_no_name_is_no_folder(tmp_path):
    assert FOLDER.convert(str(tmp_path / "new"), None, None) == tmp_path / "new"
    assert FOLDER.convert(".", None, None) == Path()
    assert EXISTING_FOLDER.convert(str(tmp_path), None, None) == tmp_path
    for kind in (FOLDER, EXISTING_FOLDER):
        with pytest.raises(click.BadParameter):
            kind.convert("", None, None)


@pytest.mark.parametrize(
    ("arguments", "option"),
    [
        (["publish", "--until", "1793500000000", "--broker", "http://127.0.0.1:9092"], "--broker"),
        (["topics", "create", "--broker", ","], "--broker"),
        (["worker", "--broker", "127.0.0.1:99999"], "--broker"),
        (["publish", "--until", "1793500000000", "--topic-prefix", "b d|"], "--topic-prefix"),
        (["publish", "--chat", "-", "--speed", "nan"], "--speed"),
        (["worker", "--web-url", "foo"], "--web-url"),
        (["worker", "--allowed-lateness", "99999999999999d"], "--allowed-lateness"),
        (["worker", "--data-dir", ""], "--data-dir"),
        (["generate", "--out", ""], "--out"),
    ],
)
def test_wrong_usage_is_told_at_once_with_the_option(arguments, option):
    done = CliRunner().invoke(main, arguments)
    assert done.exit_code == 2
    assert f"Invalid value for '{option}'" in done.stderr
