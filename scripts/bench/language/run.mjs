// A prompt and tokens after it, greedily, in one engine: both in one process, so that nothing but the engine differs.

/**
 * Octavo keeps the past in the session; another engine is fed what it gave. The times are of the second sequence: the first one
 * warms up; `memory()` is asked after it. { createMs, promptMs, tokenMs: of each token, tokens: their numbers, used }
 */
export async function generateIn(module, { path, threads, prompt, count, keepsPast }, memory) {
  const options = { intraOpNumThreads: threads, interOpNumThreads: 1, logSeverityLevel: 3 }
  const past = keepsPast ? { past: 'state', logits: 'last', pastLimit: prompt + count + 1 } : {}
  const began = performance.now()
  const session = await module.InferenceSession.create(path, { ...options, ...past })
  const createMs = performance.now() - began
  const ids = Array.from({ length: prompt }, (_, i) => 1 + ((i * 7919) % 1000))
  await sequence(module, session, ids, Math.min(count, 4))
  const times = await sequence(module, session, ids, count)
  const used = memory()
  await session.release()
  return { createMs, used, ...times }
}

async function sequence({ Tensor }, session, prompt, count) {
  if (session.pastLength !== undefined) session.reset()
  const metadata = session.inputMetadata
  const pasts = metadata.filter(({ name }) => name.startsWith('past_key_values'))
  const names = ['logits', ...pasts.map(({ name }) => name.replace('past_key_values', 'present'))]
  const integers = (values, dims) => new Tensor('int64', BigInt64Array.from(values, BigInt), dims)
  let feeds = Object.fromEntries(
    pasts.map(({ name, type, shape }) => [name, new Tensor(type, empty(type), [1, shape[1], 0, shape[3]])]),
  )
  const tokens = []
  const times = []
  let [next, start] = [prompt, 0]
  while (tokens.length <= count) {
    const began = performance.now()
    const total = start + next.length
    feeds.input_ids = integers(next, [1, next.length])
    feeds.attention_mask = integers(new Array(total).fill(1), [1, total])
    if (session.inputNames.includes('position_ids'))
      feeds.position_ids = integers(
        next.map((_, i) => start + i),
        [1, next.length],
      )
    const results = await session.run(feeds, names)
    const token = likeliest(results.logits)
    times.push(performance.now() - began)
    feeds = Object.fromEntries(
      pasts.map(({ name }) => [name, results[name.replace('past_key_values', 'present')]]),
    )
    tokens.push(token)
    next = [token]
    start = total
  }
  const [promptMs, ...tokenMs] = times
  return { promptMs, tokenMs, tokens }
}

const empty = (type) => (type === 'float16' ? new Uint16Array(0) : new Float32Array(0))

/** The first of the largest of the last row. */
function likeliest({ data, dims }) {
  const size = dims.at(-1)
  let best = data.length - size
  for (let i = best; i < data.length; ++i) if (data[i] > data[best]) best = i
  return best - (data.length - size)
}
