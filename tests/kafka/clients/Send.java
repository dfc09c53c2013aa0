import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Future;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.StringSerializer;

/** Sends lines of "codec TAB topic TAB key TAB value" from standard input, by Kafka's own client. */
public class Send {
    public static void main(String[] args) throws Exception {
        Map<String, KafkaProducer<String, String>> producers = new HashMap<>();
        List<Future<?>> sent = new ArrayList<>();
        BufferedReader lines = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (String line; (line = lines.readLine()) != null; ) {
            String[] part = line.split("\t", 4);
            KafkaProducer<String, String> producer = producers.computeIfAbsent(part[0], codec -> new KafkaProducer<>(
                Map.<String, Object>of("bootstrap.servers", args[0], "compression.type", codec, "linger.ms", 1000),
                new StringSerializer(), new StringSerializer()));
            sent.add(producer.send(new ProducerRecord<>(part[1], part[2], part[3])));
        }
        for (KafkaProducer<String, String> producer : producers.values()) {
            producer.flush();
        }
        for (Future<?> record : sent) {
            record.get();
        }
    }
}
