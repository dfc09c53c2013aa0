"""What is asked for over HTTP: by which payloads an answer may be used, and when it is waited for."""

from __future__ import annotations

import pytest

from stream_attr.adapters.registry import ADAPTERS
from stream_attr.gateway.connections import ConnectedAccount, Lookup
from stream_attr.gateway.lookups import LookupAwayError, Lookups
from stream_attr.kafka.secret import Secret
from tests.gateway.platform_api import KEY, platform_api


@pytest.fixture
def api():
    with platform_api({("order", "7/1"): {"id": 7}, ("bridge", "31"): {"buyer_id": "b"}}) as running:
        yield running
    while OPENED:
        OPENED.pop().close()


OPENED: list[Lookups] = []


class Asking:
    """The lookups of a connection, with a clock of their own."""

    def __init__(self, api, keep_s=0, key=KEY):
        def lookup(resource):
            return Lookup(f"{api.url}/{resource}/{{id}}", {"X-Key": Secret(key)}, keep_s)

        account = ConnectedAccount(
            "main", ADAPTERS["shopify"], {}, "s1", {}, False, {"order": lookup("order")}, lookup("bridge")
        )
        self.now_ms = 1000
        self.told: list[tuple[str, str]] = []
        self.lookups = Lookups(account, 5, lambda *told: self.told.append(told), lambda: self.now_ms)
        OPENED.append(self.lookups)

    def order(self, received_ms, key="7/1"):
        self.lookups.received_ms = received_ms
        return self.lookups.enrich("order", key)


def test_an_answer_serves_payloads_that_came_before_it_was_asked_for(api):
    asking = Asking(api)
    assert asking.order(1000) == b'{"id": 7}'
    api.documents["order", "7/1"] = {"id": 8}
    asking.now_ms = 2000
    assert asking.order(999) == asking.order(1000) == b'{"id": 7}'
    assert asking.order(1001) == b'{"id": 8}', "what came later may tell of something newer"
    assert asking.told == [("order", one) for one in ("asked", "known", "known", "asked")]
    assert api.connections == 1


def test_an_answer_may_be_kept_longer(api):
    asking = Asking(api, keep_s=2)
    asking.order(1000)
    for received_ms, result in ((3000, "known"), (3001, "asked")):
        asking.order(received_ms)
        assert asking.told[-1] == ("order", result)


def test_what_is_not_there_is_none_and_what_is_away_is_waited_for(api):
    asking = Asking(api)
    assert asking.order(1, "8") is None
    assert asking.lookups.enrich("transactions", "7") is None, "nobody to ask"
    assert asking.lookups.bridge("31") == "b"
    assert asking.lookups.bridge("32") is None
    api.documents["bridge", "33"] = {"buyer": "b"}
    with pytest.raises(
        LookupAwayError, match=r"`bridge` of connection main of shopify answers something else"
    ):
        asking.lookups.bridge("33")
    api.away = True
    with pytest.raises(LookupAwayError, match=r"`enrich.order` .* answers with status 503 for 7/1"):
        asking.order(1)
    api.away = False
    assert asking.order(1) == b'{"id": 7}'
    with pytest.raises(LookupAwayError, match="status 401") as caught:
        Asking(api, key="wrong").order(1)
    assert "wrong" not in str(caught.value)


def test_nobody_there_is_told(api):
    asking = Asking(api)
    asking.order(1)
    api.server.shutdown()
    api.server.server_close()
    with pytest.raises(LookupAwayError, match="does not answer"):
        Asking(api).order(1)
