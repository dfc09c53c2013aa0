package peer;

import java.nio.charset.StandardCharsets;
import java.time.Duration;
import org.apache.kafka.common.utils.Bytes;
import org.apache.kafka.streams.KeyValue;
import org.apache.kafka.streams.processor.PunctuationType;
import org.apache.kafka.streams.processor.api.Processor;
import org.apache.kafka.streams.processor.api.ProcessorContext;
import org.apache.kafka.streams.processor.api.Record;
import org.apache.kafka.streams.state.KeyValueIterator;
import org.apache.kafka.streams.state.KeyValueStore;

/** Applies the rule to the records of a task, the one beside the buyers' store. */
final class Judge implements Processor<byte[], byte[], byte[], byte[]> {
    private final String chatTopic;
    private final Rule rule = new Rule();
    private ProcessorContext<byte[], byte[]> context;
    private KeyValueStore<Bytes, byte[]> buyers;

    Judge(String chatTopic) {
        this.chatTopic = chatTopic;
    }

    @Override
    public void init(ProcessorContext<byte[], byte[]> context) {
        this.context = context;
        this.buyers = context.getStateStore(App.BUYERS);
        context.schedule(Duration.ofDays(1), PunctuationType.STREAM_TIME, this::forget);
    }

    @Override
    public void process(Record<byte[], byte[]> record) {
        boolean chat = context.recordMetadata().orElseThrow().topic().equals(chatTopic);
        String wrong = rule.read(chat, record.key(), record.value(), context.currentStreamTimeMs());
        if (wrong != null) {
            byte[] code = wrong.getBytes(StandardCharsets.US_ASCII);
            context.forward(record.withHeaders(record.headers().add("code", code)), App.DEAD_LETTERS);
        } else if (rule.counts()) {
            Bytes key = Bytes.wrap(record.key());
            Rule.Change change = rule.apply(buyers.get(key));
            if (change == null) return;
            buyers.put(key, change.buyer());
            for (Rule.Emitted emitted : change.emitted()) {
                // A record's time is its event's unless it gets another: by the clock's, one can see how fast
                // decisions were made.
                long now = System.currentTimeMillis();
                context.forward(new Record<>(emitted.key(), emitted.value(), now), App.DECISIONS);
            }
        }
    }

    private void forget(long now) {
        try (KeyValueIterator<Bytes, byte[]> all = buyers.all()) {
            while (all.hasNext()) {
                KeyValue<Bytes, byte[]> one = all.next();
                if (new Buyer(one.value).lastTs() < now - Rule.BUYER_KEPT_MS) buyers.delete(one.key);
            }
        }
    }
}
