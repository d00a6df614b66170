// What a model is judged by: a function of a runner, `run(feeds)` for outputs by name, and of what the float model gave; a text, and what
// later formats are compared with.

import { evaluate, percent } from '../accuracy/evaluate.mjs'

/** Perplexity of sequences of tokens: prediction of token t + 1 at t. */
export function perplexity(texts) {
  return async ({ run }) => {
    let [sum, count] = [0, 0]
    for (const { feed, tokens } of texts) {
      const [logits] = Object.values(await run(feed))
      const vocabulary = logits.dims.at(-1)
      for (let t = 0; t + 1 < tokens.length; ++t) {
        sum += surprise(logits.data.subarray(t * vocabulary, (t + 1) * vocabulary), tokens[t + 1])
        ++count
      }
    }
    return { text: `perplexity ${Math.exp(sum / count).toFixed(3)}` }
  }
}

function surprise(logits, token) {
  const largest = logits.reduce((a, b) => Math.max(a, b))
  return largest + Math.log(logits.reduce((s, x) => s + Math.exp(x - largest), 0)) - logits[token]
}

/** Share of the samples whose largest output is that of the float model. */
export function agreement(feeds) {
  return async ({ run }, float) => {
    const tops = []
    for (const feed of feeds) {
      const [{ data }] = Object.values(await run(feed))
      tops.push(data.indexOf(data.reduce((a, b) => Math.max(a, b))))
    }
    const same = float ? tops.filter((top, i) => top === float[i]).length : tops.length
    return { text: `${((100 * same) / tops.length).toFixed(1)} % as float`, kept: tops }
  }
}

/** Mean cosine between what is pooled over tokens and that of the float model. */
export function cosine(feeds) {
  return async ({ run }, float) => {
    const pooled = []
    for (const feed of feeds) {
      const [{ data, dims }] = Object.values(await run(feed))
      pooled.push(meanOfRows(data, dims.at(-1)))
    }
    const mean = float ? pooled.reduce((s, v, i) => s + cosineOf(v, float[i]), 0) / pooled.length : 1
    return { text: `cosine ${mean.toFixed(4)}`, kept: pooled }
  }
}

function meanOfRows(data, width) {
  const sums = new Float64Array(width)
  for (let i = 0; i < data.length; ++i) sums[i % width] += data[i]
  return sums
}

function cosineOf(a, b) {
  let [ab, aa, bb] = [0, 0, 0]
  for (let i = 0; i < a.length; ++i) {
    ab += a[i] * b[i]
    aa += a[i] * a[i]
    bb += b[i] * b[i]
  }
  return ab / Math.sqrt(aa * bb)
}

/** Percent of images whose class is the label. */
export function topOne(task) {
  return async ({ runOne }) => {
    const opened = { open: async () => ({ run: runOne, release() {} }) }
    const results = await evaluate(opened, undefined, task, task.test)
    return { text: `${percent(results).toFixed(1)} % right of ${results.length}` }
  }
}
