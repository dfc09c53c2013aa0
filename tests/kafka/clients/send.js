// Sends lines of "codec TAB topic TAB key TAB value" from standard input, by KafkaJS.
const { CompressionCodecs, CompressionTypes, Kafka, logLevel } = require('kafkajs')
const lz4 = require('lz4-napi')
const { ZstdCodec } = require('zstd-codec')

// KafkaJS brings gzip alone; how others are added is its documented interface.
CompressionCodecs[CompressionTypes.Snappy] = require('kafkajs-snappy')
CompressionCodecs[CompressionTypes.LZ4] = () => ({
  compress: (encoder) => lz4.compressFrame(encoder.buffer),
})
CompressionCodecs[CompressionTypes.ZSTD] = () => ({
  compress: (encoder) =>
    new Promise((resolve) => {
      ZstdCodec.run((zstd) => resolve(Buffer.from(new zstd.Simple().compress(encoder.buffer))))
    }),
})
const names = { none: 'None', gzip: 'GZIP', snappy: 'Snappy', lz4: 'LZ4', zstd: 'ZSTD' }

async function main() {
  const lines = require('fs').readFileSync(0, 'utf8').split('\n').filter((line) => line)
  const batches = new Map()
  for (const line of lines) {
    const [codec, topic, key, value] = line.split('\t')
    const messages = batches.get(`${codec}\t${topic}`) || []
    batches.set(`${codec}\t${topic}`, [...messages, { key, value }])
  }
  const kafka = new Kafka({ brokers: [process.argv[2]], logLevel: logLevel.ERROR })
  const producer = kafka.producer()
  await producer.connect()
  for (const [name, messages] of batches) {
    const [codec, topic] = name.split('\t')
    await producer.send({ topic, messages, compression: CompressionTypes[names[codec]] })
  }
  await producer.disconnect()
}

main().catch((error) => {
  console.error(error)
  process.exit(1)
})
