// node scripts/ci/hash.mjs THREADS,THREADS MODEL...: runs each model on its seeded inputs at each number of threads and
// prints a hash of the output bytes, `hash MODEL SHA256`, once where all numbers of threads agree.
import { createHash } from 'node:crypto'
import { basename } from 'node:path'
import { InferenceSession } from '../../dist/index.js'
import { binding } from '../../dist/native/load.js'
import { seededFeeds } from './feeds.mjs'

const [threads, ...paths] = process.argv.slice(2)
console.log(`isa ${binding().isa}`)
for (const path of paths) {
  const lines = new Set()
  for (const count of threads.split(',')) {
    const session = await InferenceSession.create(path, { intraOpNumThreads: Number(count) })
    lines.add(`hash ${basename(path)} ${await hashOf(session)}`)
    await session.release()
  }
  for (const line of lines) console.log(line)
  if (lines.size > 1) console.log(`threads ${threads} disagree on ${basename(path)}`)
}

async function hashOf(session) {
  const hash = createHash('sha256')
  for (const feeds of seededFeeds(session, 2)) {
    const outputs = await session.run(feeds)
    for (const name of session.outputNames) {
      const { data } = outputs[name]
      hash.update(new Uint8Array(data.buffer, data.byteOffset, data.byteLength))
    }
  }
  return hash.digest('hex')
}
