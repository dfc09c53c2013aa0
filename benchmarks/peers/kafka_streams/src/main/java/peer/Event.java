package peer;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/** A chat or order event, read with Jackson's streaming parser; one object for all events of a task. */
final class Event {
    private static final JsonFactory JSON = new JsonFactory();
    private static final byte[] TS = "\"ts\":".getBytes(StandardCharsets.US_ASCII);
    private static final long EARLIEST_TS = 946_684_800_000L; // the years 2000 to 2099
    private static final long LATEST_TS = 4_102_444_800_000L;
    private static final long ABSENT = -1;
    /** Shows nothing, and is neither white space nor a format character. */
    private static final String NOTHING = "\u0085\u115f\u1160\u2800\u3164\uffa0";

    String eventId;
    String shop;
    String buyer;
    String agent;
    String type;
    String sender;
    String kind;
    String order;
    long ts;
    long amount;
    private long textLength;
    private boolean blankText;

    /**
     * When an event happened, found in its bytes; -1 if that is nowhere or no usable time. It is asked for
     * when a record is fetched, long before it is judged, and to parse each twice would be a waste.
     */
    static long timeOf(byte[] json) {
        for (int at = 0; at < json.length - TS.length; at++) {
            if (json[at] == '"' && Arrays.equals(json, at, at + TS.length, TS, 0, TS.length)) {
                long ts = leadingNumber(json, at + TS.length);
                return EARLIEST_TS <= ts && ts < LATEST_TS ? ts : ABSENT;
            }
        }
        return ABSENT;
    }

    private static long leadingNumber(byte[] json, int at) {
        while (at < json.length && json[at] == ' ') at++;
        long number = 0;
        for (int end = Math.min(json.length, at + 15); at < end && json[at] >= '0' && json[at] <= '9'; at++) {
            number = number * 10 + json[at] - '0';
        }
        return number;
    }

    /** Take the fields of a record; returns why it is refused, or null. */
    String read(byte[] key, byte[] value, boolean chat) {
        eventId = shop = buyer = agent = type = sender = kind = order = null;
        ts = amount = textLength = ABSENT;
        blankText = false;
        if (value == null) return "not_json";
        try (JsonParser parser = JSON.createParser(value)) {
            if (parser.nextToken() != JsonToken.START_OBJECT) return "not_json";
            for (String name; (name = parser.nextFieldName()) != null; ) {
                take(name, parser, parser.nextToken());
            }
            if (parser.currentToken() != JsonToken.END_OBJECT) return "not_json";
        } catch (BadType wrong) {
            return "bad_type";
        } catch (IOException wrong) {
            return "not_json";
        }
        if (eventId == null || shop == null || buyer == null || ts == ABSENT) return "missing_field";
        if (ts < EARLIEST_TS || ts >= LATEST_TS) return "bad_value";
        String wrong = chat ? wrongOfChat() : wrongOfOrder();
        if (wrong != null) return wrong;
        boolean keyed = key != null && new String(key, StandardCharsets.UTF_8).equals(shop + "|" + buyer);
        return keyed ? null : "key_mismatch";
    }

    /** A message of the buyer, or an effective one of the agent: one that the rule looks at. */
    boolean counts() {
        if (!type.equals("message") || "system".equals(kind)) return false;
        return byBuyer() || !("broadcast".equals(kind) || blank());
    }

    boolean byBuyer() {
        return sender.equals("buyer");
    }

    private boolean blank() {
        if ("image".equals(kind) || "card".equals(kind)) return false;
        return blankText || textLength == 0;
    }

    private static boolean showsNothing(String text) {
        return text.codePoints().allMatch(point -> Character.isWhitespace(point)
                || Character.isSpaceChar(point)
                || Character.getType(point) == Character.FORMAT
                || NOTHING.indexOf(point) >= 0);
    }

    private String wrongOfChat() {
        if (agent == null) return "missing_field";
        if (type == null) type = "message";
        if (!type.equals("message")) return null;
        if (sender == null) return "missing_field";
        return sender.equals("buyer") || sender.equals("agent") ? null : "bad_value";
    }

    private String wrongOfOrder() {
        if (order == null || type == null) return "missing_field";
        boolean judged = type.equals("created") || type.equals("paid");
        return judged && amount == ABSENT ? "missing_field" : null;
    }

    private void take(String name, JsonParser parser, JsonToken token) throws IOException {
        switch (name) {
            case "event_id" -> eventId = text(parser, token);
            case "shop_id" -> shop = text(parser, token);
            case "buyer_id" -> buyer = text(parser, token);
            case "agent_id" -> agent = text(parser, token);
            case "type" -> type = text(parser, token);
            case "sender" -> sender = text(parser, token);
            case "kind" -> kind = text(parser, token);
            case "order_id" -> order = text(parser, token);
            case "text" -> blankText = showsNothing(text(parser, token));
            case "ts" -> ts = number(parser, token);
            case "amount" -> amount = number(parser, token);
            case "text_length" -> textLength = number(parser, token);
            default -> parser.skipChildren();
        }
    }

    private static String text(JsonParser parser, JsonToken token) throws IOException {
        if (token != JsonToken.VALUE_STRING) throw new BadType();
        return parser.getText();
    }

    private static long number(JsonParser parser, JsonToken token) throws IOException {
        if (token != JsonToken.VALUE_NUMBER_INT) throw new BadType();
        return parser.getLongValue();
    }

    private static final class BadType extends IOException {
        private static final long serialVersionUID = 1;
    }
}
