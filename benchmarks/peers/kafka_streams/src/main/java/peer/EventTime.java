package peer;

import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.streams.processor.TimestampExtractor;

/** When an event happened, as it says itself. */
public final class EventTime implements TimestampExtractor {
    @Override
    public long extract(ConsumerRecord<Object, Object> record, long partitionTime) {
        long ts = record.value() instanceof byte[] json ? Event.timeOf(json) : -1;
        return ts >= 0 ? ts : Math.max(0, partitionTime); // a dead letter neither waits nor moves the time
    }
}
