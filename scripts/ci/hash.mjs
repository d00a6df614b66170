// node scripts/ci/hash.mjs THREADS MODEL...: runs each model on its seeded inputs and prints a hash of the output bytes.
import { createHash } from 'node:crypto'
import { basename } from 'node:path'
import { InferenceSession } from '../../dist/index.js'
import { binding } from '../../dist/native/load.js'
import { seededFeeds } from './feeds.mjs'

const [threads, ...paths] = process.argv.slice(2)
console.log(`isa ${binding().isa}`)
for (const path of paths) {
  const session = await InferenceSession.create(path, { intraOpNumThreads: Number(threads) })
  const hash = createHash('sha256')
  for (const feeds of seededFeeds(session, 2)) {
    const outputs = await session.run(feeds)
    for (const name of session.outputNames) {
      const { data } = outputs[name]
      hash.update(new Uint8Array(data.buffer, data.byteOffset, data.byteLength))
    }
  }
  console.log(`hash ${basename(path)} ${hash.digest('hex')}`)
  await session.release()
}
