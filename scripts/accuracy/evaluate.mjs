// One model on the test inputs of a task: right or wrong for each.

/** Uint8Array, 1 where the model was right about the input of this position in `test`. */
export async function evaluate(engine, model, { sample, batch, right }, test) {
  const session = await engine.open(model)
  try {
    const results = new Uint8Array(test.length)
    for (let from = 0; from < test.length; from += batch) {
      const indices = test.slice(from, from + batch)
      const output = await session.run(stack(indices.map(sample)))
      indices.forEach((index, row) => {
        results[from + row] = right(output, row, index) ? 1 : 0
      })
    }
    return results
  } finally {
    await session.release()
  }
}

function stack(samples) {
  if (samples.length === 1) return samples[0]
  const [{ dims, data }] = samples
  const all = new Float32Array(samples.length * data.length)
  samples.forEach((s, i) => {
    all.set(s.data, i * data.length)
  })
  return { dims: [samples.length, ...dims.slice(1)], data: all }
}

/** Percent of ones. */
export function percent(results) {
  return (100 * results.reduce((n, r) => n + r, 0)) / results.length
}

/** Mean of the differences per input in points, with its standard error: sd / sqrt(n). */
export function paired(results, base) {
  const n = results.length
  const differences = Array.from(results, (r, i) => 100 * (r - base[i]))
  const mean = differences.reduce((s, d) => s + d, 0) / n
  const variance = differences.reduce((s, d) => s + (d - mean) ** 2, 0) / Math.max(1, n - 1)
  return { mean, error: Math.sqrt(variance / n) }
}
