// Weights of a language model: by name and size, [outputs, inputs] for products.
import { readFileSync } from 'node:fs'
import { floatsOf } from '../../../../dist/graph/tensor.js'
import { readModel } from '../../../../dist/onnx/index.js'
import { gaussian, uniform } from '../builder.mjs'
import { headSize, STORIES_260K } from './shapes.mjs'

/** Seeded ones, which keep the size of what they multiply. `gain` of the head: how far the logits are apart. */
export function seededWeights(seed) {
  const random = uniform(seed)
  return (name, [rows, columns]) => {
    const data = new Float32Array(rows * (columns ?? 1))
    if (columns === undefined) return data.fill(1)
    const deviation = name === 'embedding' ? 1 : (name === 'head' ? 4 : 1) / Math.sqrt(columns)
    for (let i = 0; i < data.length; ++i) data[i] = gaussian(random) * deviation
    return data
  }
}

/**
 * Those of stories260K, from its float model, whose rotary embedding turns neighbours: here halves of a head are turned.
 *
 * @public Tests import it by its address.
 */
export async function storiesWeights(path) {
  const { graph } = await readModel(readFileSync(path))
  const byNode = new Map()
  for (const { name, opType, inputs } of graph.nodes) {
    const constant = graph.constants.get(inputs[1])
    if (opType === 'MatMul' && constant) byNode.set(name.split('/')[1], constant)
  }
  const parts = { q: 'q', k: 'k', v: 'v', o: 'o', gate: 'w1', up: 'w3', down: 'w2' }
  return (name) => {
    const vector = { finalNorm: 'rn', embedding: 'emb.weight', head: 'emb.weight' }[name]
    if (vector) return floatsOf(graph.constants.get(vector))
    const [layer, part] = name.split('.')
    const norm = { inputNorm: 'an', postNorm: 'fn' }[part]
    if (norm) return floatsOf(graph.constants.get(`${norm}.${layer}`))
    const { dims, data, dtype } = byNode.get(`${parts[part]}.${layer}`)
    const rows = transposed(floatsOf({ dims, data, dtype }), dims)
    return part === 'q' || part === 'k' ? halves(rows, dims[0]) : rows
  }
}

function transposed(data, [rows, columns]) {
  const out = new Float32Array(data.length)
  for (let r = 0; r < rows; ++r) for (let c = 0; c < columns; ++c) out[c * rows + r] = data[r * columns + c]
  return out
}

/** Rows 0, 2, 4, ... of each head, then 1, 3, 5, ... */
function halves(data, columns) {
  const size = headSize(STORIES_260K)
  const out = new Float32Array(data.length)
  for (let row = 0; row < data.length / columns; ++row) {
    const i = row % size
    const from = row - i + (i < size / 2 ? 2 * i : 2 * (i - size / 2) + 1)
    out.set(data.subarray(from * columns, (from + 1) * columns), row * columns)
  }
  return out
}
