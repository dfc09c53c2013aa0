package peer;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * What is known of a buyer, as it lies in the store: nine of ten events append a message, and decode nothing.
 *
 * <p>The bytes: the length of all messages; messages { time, hash of the event's id, side, length of the
 * agent's id, agent's id }, as they came; orders { created, paid, amount, length of the id, id }.
 */
final class Buyer {
    static final Buyer NEW = new Buyer(new byte[4]);
    /** The time of what is not known to have happened. */
    static final long NEVER = Long.MAX_VALUE;

    private static final long DAY_MS = 86_400_000;
    private static final long VALIDITY_MS = DAY_MS;
    private static final long LONGEST_MS = 20 * DAY_MS;
    private static final int MESSAGES = 4;
    private static final int SIDE = 16;
    private static final int AGENT = 19;
    private static final int ORDER_ID = 26;

    final byte[] bytes;
    private final ByteBuffer buffer;
    private final int endOfMessages;

    Buyer(byte[] bytes) {
        this.bytes = bytes;
        this.buffer = ByteBuffer.wrap(bytes);
        this.endOfMessages = MESSAGES + buffer.getInt(0);
    }

    /** An order's facts; equal to another with the same ones. */
    record Order(String id, long createdTs, long paidTs, long amount) {
        Order created(Event event) {
            long price = paidTs == NEVER ? event.amount : amount;
            return new Order(id, Math.min(createdTs, event.ts), paidTs, price);
        }

        /** The first payment counts. */
        Order paid(Event event) {
            return event.ts < paidTs ? new Order(id, createdTs, event.ts, event.amount) : this;
        }

        /** The rule looks at chat from here on. */
        long fromTs() {
            long valid = createdTs - VALIDITY_MS;
            return paidTs == NEVER ? valid : Math.max(valid, paidTs - LONGEST_MS);
        }

        /** And up to here, exclusively. */
        long toTs() {
            return paidTs == NEVER ? createdTs : paidTs;
        }
    }

    /** Who gets an order; {@code agent} is null for nobody. */
    record Decision(Order order, String agent, long lastTs) {}

    /** The same buyer with one more message, and none from before {@code keptFromTs}; itself if it had it. */
    Buyer withMessage(Event event, long keptFromTs) {
        long id = hash(event.eventId);
        for (int at = MESSAGES; at < endOfMessages; at = nextMessage(at)) {
            if (buffer.getLong(at + 8) == id) return this;
        }
        int from = MESSAGES; // they came nearly in the order of time
        while (from < endOfMessages && buffer.getLong(from) < keptFromTs) from = nextMessage(from);
        byte[] agent = event.agent.getBytes(StandardCharsets.UTF_8);
        int kept = endOfMessages - from;
        int length = kept + AGENT + agent.length;
        ByteBuffer grown = ByteBuffer.allocate(MESSAGES + length + bytes.length - endOfMessages);
        grown.putInt(length).put(bytes, from, kept);
        grown.putLong(event.ts).putLong(id).put((byte) (event.byBuyer() ? 0 : 1));
        grown.putShort((short) agent.length).put(agent);
        grown.put(bytes, endOfMessages, bytes.length - endOfMessages);
        return new Buyer(grown.array());
    }

    /** The same buyer after an order was created or paid; itself if that was known. */
    Buyer withOrder(Event event) {
        List<Order> orders = orders();
        int place = 0;
        while (place < orders.size() && !orders.get(place).id.equals(event.order)) place++;
        Order old = place < orders.size() ? orders.get(place) : new Order(event.order, NEVER, NEVER, 0);
        Order changed = event.type.equals("paid") ? old.paid(event) : old.created(event);
        if (changed.equals(old)) return this;
        if (place < orders.size()) orders.set(place, changed);
        else orders.add(changed);
        return withOrders(orders);
    }

    /** Whether a message of that time is late: one that some order's decision should have known of. */
    boolean isLate(long ts) {
        for (int at = endOfMessages; at < bytes.length; at = nextOrder(at)) {
            long paid = buffer.getLong(at + 8);
            long until = paid == NEVER ? buffer.getLong(at) : paid;
            if (ts < until) return true;
        }
        return false;
    }

    /** The time of the last fact. */
    long lastTs() {
        long last = 0;
        for (int at = MESSAGES; at < endOfMessages; at = nextMessage(at)) {
            last = Math.max(last, buffer.getLong(at));
        }
        for (Order order : orders()) {
            if (order.createdTs != NEVER) last = Math.max(last, order.createdTs);
            if (order.paidTs != NEVER) last = Math.max(last, order.paidTs);
        }
        return last;
    }

    /**
     * The rule, of every order whose creation is known: of the agents who said something in its time, the one
     * whose chat with the buyer has the latest message, of either side; then the one with the lesser id.
     */
    List<Decision> decisions() {
        List<Decision> made = new ArrayList<>();
        for (Order order : orders()) {
            if (order.createdTs != NEVER) made.add(decide(order));
        }
        return made;
    }

    private Decision decide(Order order) {
        Map<String, Long> last = new HashMap<>();
        Map<String, Boolean> spoke = new HashMap<>();
        for (int at = MESSAGES; at < endOfMessages; at = nextMessage(at)) {
            long ts = buffer.getLong(at);
            if (ts < order.fromTs() || ts >= order.toTs()) continue;
            String agent = text(at + AGENT, buffer.getShort(at + AGENT - 2));
            last.merge(agent, ts, Math::max);
            spoke.merge(agent, bytes[at + SIDE] == 1, Boolean::logicalOr);
        }
        String best = null;
        for (String agent : last.keySet()) {
            if (!spoke.get(agent)) continue;
            int later = best == null ? 1 : last.get(agent).compareTo(last.get(best));
            if (later > 0 || later == 0 && agent.compareTo(best) < 0) best = agent;
        }
        return new Decision(order, best, best == null ? 0 : last.get(best));
    }

    private List<Order> orders() {
        List<Order> orders = new ArrayList<>();
        for (int at = endOfMessages; at < bytes.length; at = nextOrder(at)) {
            String id = text(at + ORDER_ID, buffer.getShort(at + ORDER_ID - 2));
            orders.add(new Order(id, buffer.getLong(at), buffer.getLong(at + 8), buffer.getLong(at + 16)));
        }
        return orders;
    }

    private Buyer withOrders(List<Order> orders) {
        List<byte[]> ids = orders.stream().map(order -> order.id.getBytes(StandardCharsets.UTF_8)).toList();
        int length = ids.stream().mapToInt(id -> ORDER_ID + id.length).sum();
        ByteBuffer changed = ByteBuffer.allocate(endOfMessages + length).put(bytes, 0, endOfMessages);
        for (int i = 0; i < ids.size(); i++) {
            Order order = orders.get(i);
            changed.putLong(order.createdTs).putLong(order.paidTs).putLong(order.amount);
            changed.putShort((short) ids.get(i).length).put(ids.get(i));
        }
        return new Buyer(changed.array());
    }

    private int nextMessage(int at) {
        return at + AGENT + buffer.getShort(at + AGENT - 2);
    }

    private int nextOrder(int at) {
        return at + ORDER_ID + buffer.getShort(at + ORDER_ID - 2);
    }

    private String text(int at, int length) {
        return new String(bytes, at, length, StandardCharsets.UTF_8);
    }

    /** 64 bits of FNV-1a. */
    private static long hash(String text) {
        long hash = 0xcbf29ce484222325L;
        for (int i = 0; i < text.length(); i++) hash = (hash ^ text.charAt(i)) * 0x100000001b3L;
        return hash;
    }
}
