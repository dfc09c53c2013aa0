package peer;

import com.fasterxml.jackson.core.JsonEncoding;
import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/**
 * The judging, without the engine: of a record and what was known of its buyer comes what is known then, and
 * the decisions that differ from those before. One object for all records of a task: read, then apply.
 */
final class Rule {
    /** A buyer of whom nothing has come for so long is forgotten. */
    static final long BUYER_KEPT_MS = Duration.ofDays(45).toMillis();

    private static final long CHAT_KEPT_MS = Duration.ofDays(35).toMillis();
    private static final JsonFactory JSON = new JsonFactory();

    private final Event event = new Event();
    private boolean chat;
    private long keptFromTs;

    /** A decision as it is emitted. */
    record Emitted(byte[] key, byte[] value) {}

    /** What becomes of a buyer, and of the buyer's orders. */
    record Change(byte[] buyer, List<Emitted> emitted) {}

    /** Take a record; returns why it is a dead letter, or null. {@code now}: the event time that has come. */
    String read(boolean ofChat, byte[] key, byte[] value, long now) {
        chat = ofChat;
        keptFromTs = now - CHAT_KEPT_MS;
        String wrong = event.read(key, value, chat);
        return wrong == null && event.ts < keptFromTs ? "too_late" : wrong;
    }

    /** Whether the record has a bearing on the rule. */
    boolean counts() {
        return chat ? event.counts() : event.type.equals("created") || event.type.equals("paid");
    }

    /** Apply the record to what is known of its buyer (or null); returns null if it is a repeat. */
    Change apply(byte[] known) {
        Buyer before = known == null ? Buyer.NEW : new Buyer(known);
        Buyer after = chat ? before.withMessage(event, keptFromTs) : before.withOrder(event);
        if (after == before) return null;
        if (chat && !before.isLate(event.ts)) return new Change(after.bytes, List.of());
        List<Buyer.Decision> old = before.decisions();
        List<Emitted> emitted = new ArrayList<>();
        for (Buyer.Decision decision : after.decisions()) {
            if (!old.contains(decision)) emitted.add(emission(decision));
        }
        return new Change(after.bytes, emitted);
    }

    private Emitted emission(Buyer.Decision decision) {
        Buyer.Order order = decision.order();
        boolean paid = order.paidTs() != Buyer.NEVER;
        ByteArrayOutputStream out = new ByteArrayOutputStream(512);
        try (JsonGenerator json = JSON.createGenerator(out, JsonEncoding.UTF8)) {
            json.writeStartObject();
            json.writeStringField("shop_id", event.shop);
            json.writeStringField("buyer_id", event.buyer);
            json.writeStringField("order_id", order.id());
            json.writeStringField("reason", event.type);
            String credit = decision.agent() == null ? "silent" : "credited";
            json.writeStringField("outcome", paid ? credit : "awaiting_payment");
            json.writeStringField("agent_id", decision.agent());
            json.writeNumberField("last_ts", decision.lastTs());
            json.writeNumberField("amount", order.amount());
            json.writeNumberField("created_ts", order.createdTs());
            if (paid) json.writeNumberField("paid_ts", order.paidTs());
            json.writeEndObject();
        } catch (IOException impossible) {
            throw new UncheckedIOException(impossible);
        }
        return new Emitted((event.shop + "|" + order.id()).getBytes(StandardCharsets.UTF_8), out.toByteArray());
    }
}
