"""The Chinese texts of tables whose English ones are in the code: options of the worker, metrics."""

from __future__ import annotations

from typing import Final

OPTIONS: Final = {
    "--broker": "bootstrap 服务器",
    "--topic-prefix": "一个 broker 上的多套安装",
    "--security-protocol": "见[安全](../security.md)",
    "--sasl-mechanism": "SASL 机制",
    "--sasl-user": "登录名",
    "--sasl-password-file": "密码文件",
    "--tls-ca-file": "信任的 CA（PEM）；不给则用系统信任的",
    "--tls-cert-file": "自己的证书，broker 要求时用",
    "--tls-key-file": "它的私钥",
    "--tls-any-hostname": "不校验 broker 证书的主机名",
    "--app-id": "消费组；一套安装一个",
    "--data-dir": "状态的本地副本；每个 worker 一个",
    "--store": "`memory` 供试用：每次启动都要读完整个 changelog",
    "--cache-mib": "供最近来过的买家和本地状态缓存使用的内存（MiB），由所有分区共用",
    "--web-host": "web 端口所在的网络接口；其他机器能访问的接口必须有令牌",
    "--web-port": "`/health` `/ready` `/metrics` `/orders`",
    "--web-token-file": "令牌文件；有令牌时除 `/health` 和 `/ready` 外都要出示",
    "--web-url": "其他 worker 访问它的地址",
    "--clock": "`events` 用于推入历史数据：没有时钟记录",
    "--accept-future": "接受比系统时钟超前 10 分钟以上的事件和时钟记录：用于模拟数据",
    "--allowed-lateness": "水位线落后最新事件多少",
    "--history-days": "聊天保留多久；更早的为 `too_late`",
    "--order-retention-days": "订单在最后一个事件之后保留多久",
    "--decisions-only": "不发出接待明细、询单结果和客服日报",
    "--lost-input": (
        "事件未判定就已丢失时怎么办：被主题的保留期删除，或主题被删除后重建（此时从新主题开头读起）"
    ),
    "--transactions": "除内嵌 broker 外为 `on`",
    "--session-timeout": "不出声的 worker 多久失去分区",
}

METRICS: Final = {
    "stream_attr_records_total": "已判定的输入记录，按分区",
    "stream_attr_events_total": "已接受的事件，按主题",
    "stream_attr_late_events_total": "其中早于水位线的",
    "stream_attr_repeated_events_total": "id 已知的事件",
    "stream_attr_decisions_total": "发出的判定，按方案、结果和原因",
    "stream_attr_reports_total": "已发出的接待明细、询单结果、客服日报和服务任务，按主题",
    "stream_attr_dead_letters_total": "不能使用的记录，按代码",
    "stream_attr_pending_decisions": "仍为待定的正式判定",
    "stream_attr_buyers": "有状态的买家",
    "stream_attr_state_bytes": "本地存储的大概字节数",
    "stream_attr_watermark_seconds": "水位线，纪元秒",
    "stream_attr_lag_records": "尚未判定并提交的记录，按主题",
    "stream_attr_open_transaction_records": "尚不可读的偏移：高水位减去最后稳定偏移（LSO）",
    "stream_attr_open_transaction_seconds": "最后稳定偏移在此期间停住不动的时长",
    "stream_attr_lost_records_total": "`--lost-input continue` 时越过的偏移",
    "stream_attr_murmur2_keys_ratio": (
        "主题的键中位于 murmur2（Kafka Java 客户端的分区器）所定分区的比例："
        "取最近抽样的 1,000 个不同的键；不足 50 个时没有"
    ),
    "stream_attr_partitioners_differ": (
        "聊天和订单中一个主题的键位于 murmur2 所定的分区（99 % 以上）而另一个不是时为 1："
        "买家的聊天和订单被分开判定；否则为 0"
    ),
    "stream_attr_judging_seconds": "判定一批的时间",
    "stream_attr_commit_seconds": "提交一批的时间",
    "stream_attr_ledger_records_total": "已写入账本的记录，按主题",
    "stream_attr_ledger_unstored_records_total": (
        "账本存不下的记录：连同原因在表 `unstored` 中；不为零时，各项数字里缺少它们"
    ),
    "stream_attr_ledger_lost_records_total": "读到之前就被保留期删除而跳过的偏移",
    "stream_attr_ledger_fenced_batches_total": "因另一个进程已写入而放弃的批次，如再均衡之后",
    "stream_attr_ledger_lag_records": "主题中尚未写入账本的记录，按分区",
    "stream_attr_ledger_watermark_seconds": "主题的记录中最后的水位线，纪元秒：报表截至这一时刻",
    "stream_attr_ledger_ready": "正在写入账本时为 1，否则为 0：原因见 `/ready`",
    "stream_attr_ledger_database_away": "等待数据库时为 1，否则为 0",
    "stream_attr_ledger_write_seconds": "写入一批（含事务）的时间",
    "stream_attr_console_requests_total": "请求数，按页面和状态码；`other` 不是控制台的页面",
    "stream_attr_console_request_seconds": "回答一个请求所用的时间，按页面",
    "stream_attr_console_log_ins_total": "登录次数，按方式（`password` 密码、`oidc`、`proxy` 代理）"
    "和结果：`in` 登录、`refused` 拒绝、`waits` 失败过多须等待",
    "stream_attr_console_sessions": "未结束的会话，账本的所有控制台合计",
    "stream_attr_console_as_of_seconds": "账本已知主题的事件到什么时刻，纪元秒：页面数据截至这一时刻",
    "stream_attr_console_database_away": "账本数据库没有响应时为 1，此时所有页面为 503；否则为 0",
    "stream_attr_console_pool_connections": "到数据库的连接，按状态：`busy` 使用中、`idle` 空闲",
    "stream_attr_console_unpublished_rulings": "已支持申诉中尚无 broker 确认的裁定",
    "stream_attr_console_pool_waiting": "等待数据库连接的请求",
    "stream_attr_gateway_requests_total": (
        "请求数，按结果：`kept` 已保存、`handshake` 握手，或拒绝的原因；地址不属于任何连接时 `platform` 为空"
    ),
    "stream_attr_gateway_kept_bytes_total": "Kafka 已确认的报文字节数，按平台",
    "stream_attr_gateway_keep_seconds": "Kafka 确认一个请求所用的时间：平台在等待",
    "stream_attr_gateway_broker_away": "Kafka 不确认任何记录时为 1：请求得到 503，平台会重试；否则为 0",
    "stream_attr_adapt_payloads_total": "读过的报文",
    "stream_attr_adapt_events_total": "报文给出的事件，含重复，按主题",
    "stream_attr_adapt_skipped_total": "没有变成事件的报文部分，按原因（见适配器页面）",
    "stream_attr_adapt_dead_letters_total": "其中原因表明出了问题的；每一个都在 `raw-dead-letters` 上",
    "stream_attr_adapt_lookups_total": (
        "向 `enrich`、`bridge` 查询的次数：`asked` 已查、`known` 已知、`absent` 没有、`failed` 失败并重试"
    ),
    "stream_attr_adapt_waiting": "所需的内容查不到、不再读取时为 1，否则为 0",
    "stream_attr_adapt_lag_records": "`raw.<platform>` 中尚未转换的记录，按分区",
    "stream_attr_pull_windows_total": "查询的时间窗口，按结果：`kept` 已保存，`failed` 失败并重试",
    "stream_attr_pull_replies_total": "有内容、已送到 `raw.<platform>` 的应答",
    "stream_attr_pull_behind_seconds": "已查询的最后窗口的结束距今多久；消息队列则是上次查空距今多久",
    "stream_attr_adapt_lost_records_total": "读到之前就被保留期删除而跳过的偏移",
}
