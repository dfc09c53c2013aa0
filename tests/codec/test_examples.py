"""The codec gives every inbound example of the contract the answer that the example names."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import pytest

from stream_attr.codec.records.chat_event import decode_chat
from stream_attr.codec.records.order_event import decode_order
from stream_attr.codec.records.roster import decode_roster
from stream_attr.codec.records.ruling import decode_ruling
from stream_attr.codec.records.shop_settings import decode_settings
from stream_attr.codec.records.tick import decode_tick
from stream_attr.codec.refusal import RefusedRecord
from stream_attr.contract.registry import schemas
from stream_attr.rules.vocabulary import Code

DECODERS = {
    "chat-event": decode_chat,
    "order-event": decode_order,
    "ruling": decode_ruling,
    "tick": decode_tick,
    "roster": decode_roster,
    "settings": decode_settings,
}
EXAMPLES = Path(str(schemas())) / "examples"


def inbound(kind):
    return sorted(path for record in DECODERS for path in (EXAMPLES / record).glob(f"*.{kind}.json"))


def name_of(path):
    return f"{path.parent.name}/{path.stem}"


def bytes_of(example):
    if "raw_base64" in example:
        return base64.b64decode(example["raw_base64"])
    if "raw" in example:
        return example["raw"].encode()
    return json.dumps(example["record"], ensure_ascii=False).encode()


@pytest.mark.parametrize("path", inbound("pass"), ids=name_of)
def test_a_passing_example_is_accepted(path):
    DECODERS[path.parent.name](path.read_bytes())


@pytest.mark.parametrize("path", inbound("fail"), ids=name_of)
def test_a_failing_example_gets_its_code_and_its_field(path):
    example = json.loads(path.read_bytes())
    decode = DECODERS[path.parent.name]
    if example["code"] == Code.KEY_MISMATCH:  # the value alone is good
        decode(bytes_of(example))
        return
    with pytest.raises(RefusedRecord) as refused:
        decode(bytes_of(example))
    assert (refused.value.code, refused.value.field) == (example["code"], example["field"])
    assert refused.value.message == str(refused.value)
    if example["field"] is not None:
        assert example["field"].rpartition(".")[2] in refused.value.message


@pytest.mark.parametrize("record", DECODERS)
def test_every_record_type_has_examples_of_both_kinds(record):
    assert {path.parent.name for path in inbound("pass")} >= {record}
    assert {path.parent.name for path in inbound("fail")} >= {record}
