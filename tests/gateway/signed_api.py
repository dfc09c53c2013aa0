"""The APIs of Taobao, JD, Pinduoduo and Doudian by their documents, written apart from the product.

Every call must be signed rightly, by the account's token, and within ten minutes of now, or it is answered as
the platform answers: with status 200 and its own form of an error. Signatures are checked by the code of this
file, from the parameters as they came.
"""

from __future__ import annotations

import calendar
import hashlib
import hmac
import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

SECRETS = {
    "taobao": {"app_key": "12345678", "app_secret": "tb-secret", "access_token": "tb-session-1"},
    "jd": {"app_key": "jd-app", "app_secret": "jd-secret", "access_token": "jd-token-1"},
    "pinduoduo": {"client_id": "pdd-client", "client_secret": "pdd-secret", "access_token": "pdd-token-1"},
    "doudian": {"app_key": "6839996111111111111", "app_secret": "dd-secret", "access_token": "dd-token-1"},
    "xiaohongshu": {"app_key": "xhs-app", "app_secret": "xhs-secret", "access_token": "xhs-token-1"},
    "youzan": {"access_token": "yz-token-1"},
    "wechat_shop": {"access_token": "wx-token-1"},
    "wechat_kf": {"access_token": "kf-token-1"},
}


def api_secrets(folder: Path, platform: str) -> dict[str, str]:
    """Write the secrets of an account; their files, by their names."""
    files = {name: folder / f"{platform}.{name}" for name in SECRETS[platform]}
    for name, file in files.items():
        file.write_text(SECRETS[platform][name])
    return {name: str(file) for name, file in files.items()}


ERRORS: dict[str, Callable[[Any], Any]] = {
    "taobao": lambda code: {"error_response": {"code": code, "msg": "refused", "sub_code": ""}},
    "jd": lambda code: {"error_response": {"code": code, "en_desc": "refused", "zh_desc": "拒绝"}},
    "pinduoduo": lambda code: {"error_response": {"error_code": code, "error_msg": "refused"}},
    "doudian": lambda code: {"code": code, "msg": "refused", "sub_code": "isp.refused"},
    "xiaohongshu": lambda code: {"success": False, "error_code": code, "error_msg": "refused"},
    "youzan": lambda code: {"gw_err_resp": {"err_code": code, "err_msg": "refused"}},
    "wechat_shop": lambda code: {"errcode": code, "errmsg": "refused"},
    "wechat_kf": lambda code: {"errcode": code, "errmsg": "refused"},
}
_OLDEST_S = 600


class RefusedError(Exception):
    """A call that the platform does not answer; ``code`` is its own."""

    def __init__(self, code: Any) -> None:
        self.code = code


def _md5_of_sorted(secret: str, fields: dict[str, str]) -> str:
    joined = bytearray(secret.encode())
    for name, value in sorted(fields.items()):
        joined += name.encode() + value.encode()
    joined += secret.encode()
    return hashlib.md5(bytes(joined)).hexdigest().upper()


def _check_form(
    fields: dict[str, str], secret: str, token: tuple[str, str], bad_sign: Any, bad_token: Any
) -> None:
    sign = fields.pop("sign", "")
    if sign != _md5_of_sorted(secret, fields):
        raise RefusedError(bad_sign)
    if fields.get(token[0]) != token[1]:
        raise RefusedError(bad_token)


def _seconds_of_beijing(text: str) -> int:
    return calendar.timegm(time.strptime(text[:19], "%Y-%m-%d %H:%M:%S")) - 8 * 3600


class SignedApi:
    """Answers from ``documents`` (by method and id) and ``changes`` (lists, by their time of change)."""

    def __init__(self) -> None:
        self.documents: dict[tuple[str, str], Any] = {}
        self.changes: dict[str, list[tuple[int, Any]]] = {}
        """By method: epoch seconds and what was changed then."""
        self.queue: list[dict[str, Any]] = []
        self.messages: list[dict[str, Any]] = []
        """Of WeChat customer service: five to a page, and after every page one without any."""
        self.called: list[tuple[str, dict[str, Any]]] = []
        self.refused: list[Any] = []
        self.failing = 0
        """So many calls are answered with "called too often"."""
        self.between_pages: Callable[[], None] = lambda: None
        """Done after each page of a list."""
        self.tokens = {platform: secrets["access_token"] for platform, secrets in SECRETS.items()}
        self.lock = threading.Lock()
        api = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                with api.lock:
                    reply = json.dumps(api.answer(self.path, body), ensure_ascii=False).encode()
                self.send_response(200)
                self.send_header("Content-Length", str(len(reply)))
                self.end_headers()
                self.wfile.write(reply)

            def log_message(self, *_: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True

    def url(self, platform: str) -> str:
        return f"http://127.0.0.1:{self.server.server_address[1]}/{platform}"

    def answer(self, path: str, body: bytes) -> Any:
        platform = urlsplit(path).path.split("/")[1]
        try:
            reply = getattr(self, f"_{platform}")(path, body)
        except RefusedError as refused:
            self.refused.append(refused.code)
            reply = ERRORS[platform](refused.code)
        return reply

    def _given(self, method: str, fields: dict[str, Any], limited: Any) -> None:
        self.called.append((method, fields))
        if self.failing:
            self.failing -= 1
            raise RefusedError(limited)

    def _page(self, method: str, begin_s: int, end_s: int, page: int, size: int) -> tuple[list[Any], int]:
        """The changes of a window, by their time, and how many it has."""
        assert begin_s < end_s
        found = [
            one
            for at, one in sorted(self.changes.get(method, []), key=lambda two: two[0])
            if begin_s <= at <= end_s
        ]
        self.between_pages()
        return found[(page - 1) * size : page * size], len(found)

    def _taobao(self, _path: str, body: bytes) -> Any:
        fields = dict(parse_qsl(body.decode(), keep_blank_values=True))
        _check_form(fields, SECRETS["taobao"]["app_secret"], ("session", self.tokens["taobao"]), 25, 27)
        if abs(time.time() - _seconds_of_beijing(fields["timestamp"])) > _OLDEST_S:
            raise RefusedError(31)
        assert (fields["app_key"], fields["v"], fields["format"]) == ("12345678", "2.0", "json")
        method = fields["method"]
        self._given(method, fields, 7)
        name = f"{method.removeprefix('taobao.').replace('.', '_')}_response"
        if method == "taobao.tmc.messages.consume":
            taken = self.queue[: int(fields["quantity"])]
            return {name: {"messages": {"tmc_message": taken}} if taken else {}}
        if method == "taobao.tmc.messages.confirm":
            done = set(fields["s_message_ids"].split(","))
            self.queue = [one for one in self.queue if str(one["id"]) not in done]
            return {name: {"is_success": True}}
        if "start_modified" in fields:
            begin, end = (_seconds_of_beijing(fields[f"{one}_modified"]) for one in ("start", "end"))
            assert end - begin <= 86_400
            page, size = int(fields["page_no"]), int(fields["page_size"])
            found, total = self._page(method, begin, end, page, size)
            outer, inner = ("trades", "trade") if "trades" in method else ("refunds", "refund")
            return {name: {"total_results": total, outer: {inner: found}}}
        key = fields.get("tid") or fields["refund_id"]
        document = self.documents.get((method, key))
        if document is None:
            error = {"code": 15, "msg": "Remote service error", "sub_code": "isv.trade-not-exist"}
            return {"error_response": error}
        return document

    def _jd(self, _path: str, body: bytes) -> Any:
        fields = dict(parse_qsl(body.decode(), keep_blank_values=True))
        _check_form(fields, SECRETS["jd"]["app_secret"], ("access_token", self.tokens["jd"]), "12", "19")
        sent = datetime.strptime(fields["timestamp"], "%Y-%m-%d %H:%M:%S.%f%z")
        if abs(time.time() - sent.timestamp()) > _OLDEST_S or sent.utcoffset() != timedelta(hours=8):
            raise RefusedError("15")
        method, given = fields["method"], json.loads(fields["360buy_param_json"])
        self._given(method, given, "23")
        name = f"{method.replace('.', '_')}_responce"
        if method == "jingdong.pop.order.get":
            return self.documents.get((method, given["order_id"]), {name: {"orderDetailInfo": {}}})
        of_refunds = "applyTimeStart" in given
        first, last = next(
            names
            for names in (
                ("start_date", "end_date"),
                ("startDate", "endDate"),
                ("applyTimeStart", "applyTimeEnd"),
            )
            if names[0] in given
        )
        begin, end = _seconds_of_beijing(given[first]), _seconds_of_beijing(given[last])
        page = int(given["pageIndex"] if of_refunds else given["page"])
        size = int(given.get("page_size") or given["pageSize"])
        found, total = self._page(method, begin, end, page, size)
        if of_refunds:
            return {"queryResult": {"success": True, "totalCount": total, "result": found}}
        return {name: {"searchorderinfo_result": {"orderTotal": total, "orderInfoList": found}}}

    def _pinduoduo(self, _path: str, body: bytes) -> Any:
        fields = dict(parse_qsl(body.decode(), keep_blank_values=True))
        secrets = SECRETS["pinduoduo"]
        token = ("access_token", self.tokens["pinduoduo"])
        _check_form(fields, secrets["client_secret"], token, 20004, 10019)
        if abs(time.time() - int(fields["timestamp"])) > _OLDEST_S:
            raise RefusedError(20005)
        method = fields["type"]
        self._given(method, fields, 70031)
        if method == "pdd.order.information.get":
            return self.documents[method, fields["order_sn"]]
        begin, end = int(fields["start_updated_at"]), int(fields["end_updated_at"])
        assert end - begin <= 1800
        found, total = self._page(method, begin, end, int(fields["page"]), int(fields["page_size"]))
        if "refund" in method:
            return {"refund_increment_get_response": {"total_count": total, "refund_list": found}}
        return {"order_sn_increment_get_response": {"total_count": total, "order_sn_list": found}}

    def _doudian(self, path: str, body: bytes) -> Any:
        query = dict(parse_qsl(urlsplit(path).query))
        key, secret = SECRETS["doudian"]["app_key"], SECRETS["doudian"]["app_secret"]
        method = urlsplit(path).path.split("/", 2)[2].replace("/", ".")
        pattern = "app_key" + key + "method" + method + "param_json" + body.decode()
        pattern += "timestamp" + query["timestamp"] + "v2"
        expected = hmac.new(secret.encode(), (secret + pattern + secret).encode(), "sha256").hexdigest()
        if query["sign"] != expected or query["method"] != method or query["app_key"] != key:
            raise RefusedError(30001)
        if query["access_token"] != self.tokens["doudian"]:
            raise RefusedError(30002)
        if abs(time.time() - int(query["timestamp"])) > _OLDEST_S:
            raise RefusedError(30003)
        given = json.loads(body)
        assert body.decode() == json.dumps(given, separators=(",", ":"), sort_keys=True, ensure_ascii=False)
        self._given(method, given, 40003)
        if method == "order.orderDetail":
            return {"code": 10000, "msg": "success", **self.documents[method, given["shop_order_id"]]}
        begin = given.get("update_time_start") or given["update_start_time"]
        end = given.get("update_time_end") or given["update_end_time"]
        found, total = self._page(method, begin, end, given["page"] + 1, given["size"])
        name = "items" if method == "afterSale.List" else "shop_order_list"
        return {"code": 10000, "msg": "success", "data": {"total": total, name: found}}

    def _xiaohongshu(self, _path: str, body: bytes) -> Any:
        given, secrets = json.loads(body), SECRETS["xiaohongshu"]
        method, moment = given["method"], given["timestamp"]
        text = f"{method}?appId={given['appId']}&timestamp={moment}&version=2.0{secrets['app_secret']}"
        if given["sign"] != hashlib.md5(text.encode()).hexdigest() or given["appId"] != secrets["app_key"]:
            raise RefusedError(-1001)
        if abs(time.time() - int(moment)) > _OLDEST_S or given["version"] != "2.0":
            raise RefusedError(-1002)
        if given["accessToken"] != self.tokens["xiaohongshu"]:
            raise RefusedError(-1003)
        self._given(method, given, -9)
        return {"success": True, "error_code": 0, **self.documents[method, given["orderId"]]}

    def _youzan(self, path: str, body: bytes) -> Any:
        method, given = self._given_with_token(path, body)
        return self.documents[method.removeprefix("api/"), given["tid"]]

    def _given_with_token(self, path: str, body: bytes) -> tuple[str, dict[str, Any]]:
        """The call and its fields; calls of WeChat are not signed."""
        platform, method = urlsplit(path).path.split("/", 2)[1:]
        if dict(parse_qsl(urlsplit(path).query)) != {"access_token": self.tokens[platform]}:
            raise RefusedError(4203 if platform == "youzan" else 40001)
        given = json.loads(body)
        self._given(method, given, 45009)
        return method, given

    def _wechat_shop(self, path: str, body: bytes) -> Any:
        method, given = self._given_with_token(path, body)
        key = given.get("order_id") or given["after_sale_order_id"]
        return {"errcode": 0, "errmsg": "ok", **self.documents[method, key]}

    def _wechat_kf(self, path: str, body: bytes) -> Any:
        method, given = self._given_with_token(path, body)
        if method == "cgi-bin/kf/customer/batchget":
            known = [self.documents.get((method, user)) for user in given["external_userid_list"]]
            return {"errcode": 0, "errmsg": "ok", "customer_list": [one for one in known if one is not None]}
        assert method == "cgi-bin/kf/sync_msg"
        assert given["limit"] <= 1000
        begin, _, is_between = given.get("cursor", "0-").partition("-")
        page = [] if is_between else self.messages[int(begin) : int(begin) + 5]
        after = int(begin) + len(page)
        mark = f"{after}-" if is_between else f"{after}-between"
        return {
            "errcode": 0,
            "errmsg": "ok",
            "next_cursor": mark,
            "has_more": int(after < len(self.messages)),
            "msg_list": page,
        }


@contextmanager
def signed_api() -> Iterator[SignedApi]:
    """One that answers while the context lasts."""
    api = SignedApi()
    thread = threading.Thread(target=api.server.serve_forever, daemon=True)
    thread.start()
    try:
        yield api
    finally:
        api.server.shutdown()
        api.server.server_close()
        thread.join()
