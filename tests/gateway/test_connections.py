"""The file of connections: what is wrong in it is named, and no secret is shown."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

from stream_attr.cli import main
from stream_attr.errors import UnusableError
from stream_attr.gateway.connections import read_connections
from stream_attr.kafka.embedded.server import free_port

SHOPIFY = {"name": "main", "platform": "shopify", "shop_id": "s1", "secret_files": {"secret": "one"}}
JD = {"name": "main", "platform": "jd", "shop_id": "s1", "secret_files": {"bearer_token": "token"}}


@pytest.fixture
def read(tmp_path):
    (tmp_path / "one").write_text("s3cr3t\n")
    (tmp_path / "token").write_text("0123456789abcdef\n")
    (tmp_path / "short").write_text("0123456789abcde\n")
    (tmp_path / "chinese").write_text("密钥\n", encoding="utf-8")
    (tmp_path / "two").write_text("s3cr3t\nmore\n")

    def of(*accounts, **more):
        file = tmp_path / "connections.json"
        file.write_text(json.dumps({"connections": accounts, **more}))
        return read_connections(file)

    return of


def test_secrets_are_read_from_files_beside_it_and_not_shown(read, tmp_path):
    lookup = {"url": "https://api.example/orders/{id}", "header_files": {"X-Token": str(tmp_path / "one")}}
    both = {"secret": "one", "bearer_token": "token"}
    shopify, jd = read({**SHOPIFY, "enrich": {"order": lookup}, "secret_files": both}, JD)
    assert shopify.revealed() == {"secret": "s3cr3t", "bearer_token": "0123456789abcdef"}
    assert shopify.enrich["order"].headers["X-Token"].reveal() == "s3cr3t"
    assert jd.adapter.platform == "jd"
    assert "s3cr3t" not in repr(shopify)


ASKED = {"name": "main", "platform": "jd", "shop_id": "s1"}
JD_API = {"secret_files": {"app_key": "one", "app_secret": "one", "access_token": "token"}}


def with_api(**fields):
    return {**ASKED, "api": {**JD_API, **fields}}


def test_an_account_that_is_asked_needs_no_secret_of_its_own(read):
    (asked,) = read(with_api())
    assert asked.keys == {}
    assert asked.api.url == "https://api.jd.com/routerjson"
    assert asked.api.pulled == ("orders", "unpaid", "refunds")
    assert asked.api.secrets["access_token"].reveal() == "0123456789abcdef"
    (taobao,) = read({**with_api(url="http://127.0.0.1:1/x/"), "platform": "taobao"})
    assert taobao.api.pulled == ("orders", "refunds"), "a queue is taken from only where that is said"
    assert taobao.api.url == "http://127.0.0.1:1/x"
    assert "s3cr3t" not in repr(asked)


WRONG = [
    ([{**SHOPIFY, "shop": "s1"}], "unknown field `shop`"),
    ([{**SHOPIFY, "name": 7}], "Expected `str`, got `int` - at `$.connections[0].name`"),
    ([{**SHOPIFY, "name": "a/b"}], "connection 'a/b': a name has 1 to 64 of"),
    ([{**SHOPIFY, "platform": "amazon"}], "connection 'main': no platform 'amazon'; there are chatwoot,"),
    ([{**SHOPIFY, "shop_id": None}], "it needs `shop_id`, or `shops`"),
    ([{**SHOPIFY, "secret_files": {}}], "`secret_files` of shopify names files of secret, not of nothing"),
    ([{**SHOPIFY, "secret_files": {"key": "one"}}], "names files of secret, not of key"),
    ([{**JD, "secret_files": {"secret": "one"}}], "names files of bearer_token, not of secret"),
    ([{**JD, "secret_files": {"bearer_token": "short"}}], "`bearer_token` has fewer than 16 characters"),
    ([{**SHOPIFY, "secret_files": {"secret": "gone"}}], "gone cannot be read: No such file"),
    ([{**SHOPIFY, "secret_files": {"secret": "two"}}], "two has more than one line"),
    ([{**SHOPIFY, "enrich": {"trade": {"url": "https://a/{id}"}}}], "takes order, transactions, not trade"),
    ([{**SHOPIFY, "enrich": {"order": {"url": "https://a/"}}}], "`enrich.order`: `url` is a web address"),
    ([{**SHOPIFY, "bridge": {"url": "https://u:p@a/{id}"}}], "`bridge`: `url` is a web address"),
    (
        [{**SHOPIFY, "bridge": {"url": "https://a/{id}", "header_files": {"a b": "one"}}}],
        "'a b' is not the name of a header",
    ),
    (
        [{**SHOPIFY, "bridge": {"url": "https://a/{id}", "header_files": {"X-Token": "chinese"}}}],
        "`header_files.X-Token` has characters that a header cannot have",
    ),
    (
        [{**SHOPIFY, "api": {"secret_files": {}}}],
        "`api`: calls are made to doudian, jd, pinduoduo, taobao, wechat",
    ),
    (
        [{**ASKED, "api": {"secret_files": {"app_key": "one"}}}],
        "names files of app_key, app_secret, access_token",
    ),
    ([with_api(pull=["orders", "chats"])], "`pull` takes orders, unpaid, refunds, not chats"),
    (
        [with_api(url="https://u:p@a/x")],
        "`api`: `url` is a web address without user, password and query, like",
    ),
    ([with_api(url="https://a/x?y=1")], "`url` is a web address without user, password and query"),
    ([with_api(buyer="unionid")], "`buyer` takes nothing, not unionid"),
    (
        [
            {
                **with_api(),
                "platform": "wechat_kf",
                "api": {"secret_files": {"access_token": "one"}, "buyer": "openid"},
            }
        ],
        "`buyer` takes unionid, not openid",
    ),
    ([with_api(per_second=0)], "Expected `float` >= 0.1 - at `$.connections[0].api.per_second`"),
    ([SHOPIFY, SHOPIFY], "two connections 'main' of shopify: rename one"),
    ([], "`connections` is empty"),
]


@pytest.mark.parametrize(("accounts", "problem"), WRONG, ids=[problem for _, problem in WRONG])
def test_what_is_wrong_is_named(read, accounts, problem):
    with pytest.raises(UnusableError) as caught:
        read(*accounts)
    assert problem in str(caught.value)
    assert "s3cr3t" not in str(caught.value)
    assert caught.value.exit_code == 2


def test_commands_say_what_the_file_lacks_for_them(read, tmp_path):
    """Nothing to receive, or nothing to ask for: before a broker is looked for."""
    file = str(tmp_path / "connections.json")
    read(with_api())
    received = CliRunner().invoke(main, ["gateway", "--connections", file, "--web-port", str(free_port())])
    assert received.exit_code == 2
    assert "no connection has `secret_files`: there is nothing to receive; see pull" in received.output
    read(SHOPIFY)
    position = str(tmp_path / "position.json")
    asked = CliRunner().invoke(main, ["pull", "--connections", file, "--position", position, "--once"])
    assert asked.exit_code == 2
    assert "no connection has an `api` with lists to `pull`" in asked.output
    missing = CliRunner().invoke(main, ["pull", "--connections", file])
    assert "Missing option '--position'" in missing.output
