package peer;

import java.util.Properties;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.common.utils.Bytes;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.Topology;
import org.apache.kafka.streams.errors.StreamsUncaughtExceptionHandler.StreamThreadExceptionResponse;
import org.apache.kafka.streams.state.KeyValueStore;
import org.apache.kafka.streams.state.StoreBuilder;
import org.apache.kafka.streams.state.Stores;

/**
 * The peer in Kafka Streams: one rule, the last agent who chatted with the buyer before the payment.
 *
 * <p>It runs as one would run it: exactly once, its state in RocksDB behind a cache, a thread for each core.
 * Arguments: the broker, the prefix of the topics, a folder for the state.
 */
public final class App {
    static final String BUYERS = "buyers";
    static final String DECISIONS = "decisions";
    static final String DEAD_LETTERS = "dead-letters";

    private App() {}

    public static void main(String[] arguments) {
        String prefix = arguments[1];
        KafkaStreams streams =
                new KafkaStreams(topology(prefix), config(arguments[0], prefix + "peer", arguments[2]));
        streams.setUncaughtExceptionHandler(error -> {
            error.printStackTrace();
            return StreamThreadExceptionResponse.SHUTDOWN_CLIENT;
        });
        streams.setStateListener((now, before) -> {
            if (now == KafkaStreams.State.ERROR) Runtime.getRuntime().halt(1); // its other threads would stay
        });
        Runtime.getRuntime().addShutdownHook(new Thread(streams::close));
        streams.start();
    }

    private static Topology topology(String prefix) {
        String chat = prefix + "chat-events";
        ByteArrayDeserializer in = new ByteArrayDeserializer();
        ByteArraySerializer out = new ByteArraySerializer();
        StoreBuilder<KeyValueStore<Bytes, byte[]>> buyers = Stores.keyValueStoreBuilder(
                        Stores.persistentKeyValueStore(BUYERS), Serdes.Bytes(), Serdes.ByteArray())
                .withCachingEnabled(); // a buyer changed ten times between commits is written once
        return new Topology()
                .addSource("events", in, in, chat, prefix + "order-events")
                .addProcessor("judge", () -> new Judge(chat), "events")
                .addStateStore(buyers, "judge")
                .addSink(DECISIONS, prefix + "attribution-decisions", out, out, "judge")
                .addSink(DEAD_LETTERS, prefix + "dead-letters", out, out, "judge");
    }

    private static Properties config(String broker, String application, String folder) {
        Properties config = new Properties();
        config.put(StreamsConfig.BOOTSTRAP_SERVERS_CONFIG, broker);
        config.put(StreamsConfig.APPLICATION_ID_CONFIG, application);
        config.put(StreamsConfig.STATE_DIR_CONFIG, folder);
        config.put(StreamsConfig.NUM_STREAM_THREADS_CONFIG, Runtime.getRuntime().availableProcessors());
        // Decisions, changelog and offsets are committed in one transaction of a thread, ten times a second:
        // the default of this guarantee (of others, 30 s). So long it takes until a decision can be read.
        config.put(StreamsConfig.PROCESSING_GUARANTEE_CONFIG, StreamsConfig.EXACTLY_ONCE_V2);
        config.put(StreamsConfig.COMMIT_INTERVAL_MS_CONFIG, 100);
        // A task takes, of its partitions (chat, orders), the record with the least timestamp. By default
        // that is when it was sent, so of a backlog orders would be judged before the chat they rest on:
        // EventTime says when it happened. And a partition with nothing to take is by default passed over
        // as soon as the broker, too, has nothing of it; so long its next record is waited for.
        config.put(StreamsConfig.DEFAULT_TIMESTAMP_EXTRACTOR_CLASS_CONFIG, EventTime.class);
        config.put(StreamsConfig.MAX_TASK_IDLE_MS_CONFIG, 200L);
        config.put(StreamsConfig.ROCKSDB_CONFIG_SETTER_CLASS_CONFIG, RocksDb.class);
        config.put(StreamsConfig.STATESTORE_CACHE_MAX_BYTES_CONFIG, 512L << 20); // as a worker's --cache-mib
        config.put(StreamsConfig.BUFFERED_RECORDS_PER_PARTITION_CONFIG, 5_000);
        config.put(StreamsConfig.consumerPrefix(ConsumerConfig.MAX_POLL_RECORDS_CONFIG), 5_000);
        config.put(StreamsConfig.consumerPrefix(ConsumerConfig.AUTO_OFFSET_RESET_CONFIG), "earliest");
        config.put(StreamsConfig.producerPrefix(ProducerConfig.BATCH_SIZE_CONFIG), 256 << 10);
        return config;
    }
}
