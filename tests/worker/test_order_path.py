"""Ids of any shape are one segment each of an order's web path; the router gives them back as they were."""

from __future__ import annotations

from urllib.parse import quote

import pytest
from aiohttp import web as aiohttp_web
from aiohttp.test_utils import TestClient, TestServer
from hypothesis import given, settings
from hypothesis import strategies as st
from yarl import URL

from stream_attr.contract.order_path import ORDER_ROUTE, UnaddressableIdError, order_path

CHARACTERS = st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="|")
IDS = st.text(CHARACTERS, min_size=1, max_size=128)


@pytest.mark.parametrize("value", [".", ".."])
def test_dot_segments_are_refused_with_where_else_to_look(value):
    with pytest.raises(UnaddressableIdError, match=r"order_id .* cannot be asked for over HTTP.* topic attr"):
        order_path("jd:1", value)
    with pytest.raises(UnaddressableIdError, match="shop_id"):
        order_path(value, "o1")


@pytest.mark.parametrize(("value", "says"), [("", "is empty"), ("\udcff", "is not Unicode text")])
def test_what_is_no_id_is_refused(value, says):
    with pytest.raises(UnaddressableIdError, match=f"order_id .*{says}"):
        order_path("jd:1", value)


@given(IDS, IDS)
def test_an_id_has_one_segment_whatever_it_holds(shop_id, order_id):
    if {shop_id, order_id} & {".", ".."}:
        return
    path = order_path(shop_id, order_id)
    assert path == f"/orders/{quote(shop_id, safe='')}/{quote(order_id, safe='')}"
    assert path.count("/") == 3
    assert URL("http://h").joinpath(path[1:], encoded=True).raw_path == path


@settings(max_examples=20, deadline=None)
@given(st.lists(st.tuples(IDS, IDS), min_size=20, max_size=20))
async def test_the_router_gives_back_what_was_encoded(pairs):
    async def echo(request):
        return aiohttp_web.json_response([request.match_info["shop_id"], request.match_info["order_id"]])

    app = aiohttp_web.Application()
    app.router.add_get(ORDER_ROUTE, echo)
    async with TestClient(TestServer(app)) as client:
        for pair in pairs:
            if {".", ".."} & set(pair):
                continue
            answer = await client.get(URL(order_path(*pair), encoded=True))
            assert (answer.status, await answer.json()) == (200, list(pair))
