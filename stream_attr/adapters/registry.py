"""Every adapter, by its platform: the one way to them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from stream_attr.adapters import (
    chatwoot,
    doudian,
    easemob,
    gorgias,
    intercom,
    jd,
    kuaishou,
    livechat,
    pinduoduo,
    shopify,
    taobao,
    wechat_kf,
    wechat_shop,
    woocommerce,
    xiaohongshu,
    youzan,
    zendesk,
)
from stream_attr.adapters.adapter import Adapter

__all__ = ["ADAPTERS"]

ADAPTERS: Final[Mapping[str, Adapter]] = {
    module.ADAPTER.platform: module.ADAPTER
    for module in (
        chatwoot,
        shopify,
        woocommerce,
        jd,
        doudian,
        taobao,
        wechat_shop,
        wechat_kf,
        pinduoduo,
        zendesk,
        intercom,
        gorgias,
        livechat,
        youzan,
        xiaohongshu,
        kuaishou,
        easemob,
    )
}
"""In the order in which they were built."""
