"""Texts of chats: a few sentences for each moment of a conversation, as in any shop."""

from __future__ import annotations

__all__ = [
    "ADDRESS",
    "ADVERT",
    "AFTERSALE_ANSWERS",
    "AFTERSALE_QUESTIONS",
    "ANSWERS",
    "AUTO_PREFIX",
    "AUTO_REPLIES",
    "BROADCASTS",
    "CLOSINGS",
    "HANDOVERS",
    "NUDGES",
    "OPENERS",
    "QUESTIONS",
    "SYSTEM",
    "THANKS",
    "URGES",
]

ADVERT = "祝您生活愉快，关注店铺享会员价"
"""The closing advertisement that the ``advert`` filter of some shops names."""

AUTO_PREFIX = "[自动回复]"
"""How some shops mark the automatic replies that their platform does not mark."""

OPENERS = ("你好", "在吗", "您好，请问在吗？", "亲，在不在", "hello", "有人吗", "咨询一下", "想问下这款")
QUESTIONS = (
    "这款还有货吗？",
    "今天拍什么时候发货",
    "可以便宜点吗",
    "尺码偏大还是偏小？",
    "身高168体重55穿什么码",
    "是正品吗，支持验货不",
    "有优惠券可以领吗",
    "跟另外一款有什么区别",
    "发什么快递，几天能到",
    "颜色和图片一样吗？",
    "可以开发票吗",
    "满减可以和会员价一起用吗",
    "这个保修多久",
    "能不能送点小礼品",
    "家里老人用合适吗",
    "双十一还会更便宜吗",
)
ANSWERS = (
    "有货的亲，现在下单今天就能发出",
    "亲，下午四点前付款当天发货哦",
    "您好，已经是活动价了，页面可以领满200减20的券",
    "按平时尺码拍就可以，不紧绷的",
    "建议您拍L码，上身比较宽松",
    "官方正品，支持七天无理由退换",
    "可以叠加的，结算时自动抵扣",
    "这款是升级款，续航多了一倍",
    "默认发顺丰，江浙沪次日达，其他地区两到三天",
    "实物拍摄，色差很小的亲",
    "可以开电子发票，下单时备注抬头就行",
    "全国联保两年，坏了直接换新",
    "好的，给您备注赠送一份小礼品",
    "稍等，我帮您查一下库存",
    "适合的，操作很简单",
)
CLOSINGS = (
    "您看还有什么可以帮您的吗？",
    "喜欢可以直接拍下哦，库存不多了",
    "有问题随时联系我",
    "感谢您的咨询，祝您购物愉快",
)
THANKS = ("好的", "谢谢", "嗯嗯，我看看", "行，那我拍了", "我再考虑一下", "ok", "知道了，谢谢")
HANDOVERS = ("这个问题我帮您转给专员处理，请稍等", "我快交班了，转给同事继续为您服务", "您稍等，帮您转接一下")
ADDRESS = ("刚拍了，地址能改吗", "拍下了，麻烦尽快发货", "已付款，帮我看下订单", "收货地址填错了，帮改一下")
URGES = (
    "亲，看到您拍下还没付款，是遇到什么问题了吗？",
    "库存只给您保留到今晚哦",
    "现在付款还能赶上今天的最后一班快递",
)
NUDGES = (
    "亲，您关注的宝贝今天有活动哦",
    "上次咨询的那款到货了，给您留了一件",
    "您购物车里的商品降价了，要不要看看",
)
AUTO_REPLIES = (
    "您好，欢迎光临，客服正在赶来的路上，请稍等～",
    "亲，当前咨询人数较多，我们会尽快回复您",
    "您好，小店营业时间8:00-24:00，请直接留言您的问题",
)
BROADCASTS = (
    "【会员专享】今晚8点开抢，前100名半价",
    "【活动通知】满300减50，叠加店铺券更优惠",
    "【新品上架】老客户下单立减10元",
)
SYSTEM = ("会话已结束", "客户已进入店铺", "客服已邀请客户评价")
INVISIBLE = "\u200b"
"""A reply that shows nothing."""
HALF_EMOJI = "\ue000"
"""Stands for the first half of a surrogate pair, which no UTF-8 has: a file has it as an escape."""
CUT_EMOJI = f"谢谢{HALF_EMOJI}"
"""A text that some platform cut inside an emoji."""
AFTERSALE_QUESTIONS = (
    "收到有点破损怎么办",
    "尺码不合适，想退货",
    "物流三天没更新了",
    "什么时候退款到账",
    "少发了一件配件",
    "用了两天就坏了，可以换吗",
)
AFTERSALE_ANSWERS = (
    "非常抱歉，麻烦您拍张照片我们核实一下",
    "可以的，您在订单里申请退货，我们给您上门取件",
    "已帮您催促快递，预计明天送达",
    "退款审核通过后一到三个工作日原路返回",
    "马上给您补发，运费我们承担",
    "支持换新的，请您先申请售后",
)
