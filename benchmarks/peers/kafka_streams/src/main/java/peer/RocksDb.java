package peer;

import java.util.Map;
import org.apache.kafka.streams.state.RocksDBConfigSetter;
import org.rocksdb.BlockBasedTableConfig;
import org.rocksdb.BloomFilter;
import org.rocksdb.Cache;
import org.rocksdb.LRUCache;
import org.rocksdb.Options;
import org.rocksdb.RocksDB;
import org.rocksdb.WriteBufferManager;

/**
 * Memory for the stores of all tasks together, outside of the heap: without it, each takes 50 MB of cache and
 * up to 48 MB of buffers of its own (the manual's "Memory Management").
 */
public final class RocksDb implements RocksDBConfigSetter {
    static {
        RocksDB.loadLibrary();
    }

    private static final Cache CACHE = new LRUCache(256L << 20);
    private static final WriteBufferManager BUFFERS = new WriteBufferManager(128L << 20, CACHE);
    private static final BloomFilter BLOOM = new BloomFilter(10, false);

    @Override
    public void setConfig(String store, Options options, Map<String, Object> configs) {
        BlockBasedTableConfig table = (BlockBasedTableConfig) options.tableFormatConfig();
        table.setBlockCache(CACHE);
        table.setCacheIndexAndFilterBlocks(true);
        table.setFilterPolicy(BLOOM); // most buyers who come are new
        options.setTableFormatConfig(table);
        options.setWriteBufferManager(BUFFERS);
    }

    @Override
    public void close(String store, Options options) {} // what is here is of all stores
}
