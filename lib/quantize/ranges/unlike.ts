/**
 * Values of very different size that one scale would have to hold: its levels are those of the largest, and the smallest
 * keeps few or none. Joined side by side (boxes of 640 and scores of 1), or scores of 5 and a mask of -10,000 that is added
 * to them. Such steps stay in float.
 */
import { consumersOf, type Graph, type Node } from '../../graph/graph.js'
import { floatsOf } from '../../graph/tensor.js'
import { momentsOf, type Range } from '../../statistics/summary.js'
import type { Fusion } from '../assign/fusions.js'
import { withdraw } from '../assign/withdraw.js'
import type { Method, Quantization } from '../quantization.js'
import { extremesOf } from '../write/tensors.js'

/** A part whose range goes so many times into that of the whole is left with three bits. */
const MOST_PARTS = 32
/** Before a Softmax what is far below the largest means "off": its distance tells nothing, and takes the levels of the scores. */
const MOST_BEFORE_SOFTMAX = 4

export const keepUnlikeFloat: Method = (quantization) => {
  const { graph } = quantization
  const consumers = consumersOf(graph)
  return withdraw(quantization, (fusion) => {
    const { node, inputs, results } = fusion
    if (fusion.rule.kind !== 'activation' || inputs.length < 2) return undefined
    const joins = node.opType === 'Concat'
    const masks = !joins && node.opType !== 'Mul' && leadsToSoftmax(graph, consumers, fusion)
    if (!joins && !masks) return undefined
    const parts = inputs.flatMap((i) => lengthOf(quantization, node.inputs[i] ?? '') ?? [])
    const whole = lengthOf(quantization, results[0] ?? '') ?? 0
    const ratio = whole / Math.min(...parts.filter((length) => length > 0))
    if (!(ratio > (masks ? MOST_BEFORE_SOFTMAX : MOST_PARTS))) return undefined
    const times = Number(ratio.toPrecision(2))
    return masks
      ? `holds a mask: its range is ${times} times that of the scores`
      : `joins parts that are too unlike for one scale: ${times} times`
  })
}

/** How long the range of a value is, 0 included; undefined where nothing tells. */
function lengthOf({ graph, values, collected }: Quantization, value: string): number | undefined {
  const constant = graph.constants.get(value)
  if (constant) return constant.dtype === 'float32' ? length(extremesOf(floatsOf(constant))) : undefined
  const root = values.values.get(value)?.root ?? value
  const moments = momentsOf(collected.statistics.get(root) ?? {})
  if (moments && moments.count > 0) return length([moments.min, moments.max])
  const fixed = values.fixed.get(root)
  return fixed && length(fixed)
}

function length([low, high]: Range): number {
  return Math.max(0, high) - Math.min(0, low)
}

/** Whether what a fusion makes goes into a Softmax and nowhere else, over movers. */
function leadsToSoftmax(
  graph: Graph,
  consumers: ReadonlyMap<string, readonly Node[]>,
  { results }: Fusion,
): boolean {
  let value = results[0] ?? ''
  for (let steps = 0; steps < 8; ++steps) {
    const [next, ...others] = consumers.get(value) ?? []
    if (!next || others.length > 0 || graph.outputs.includes(value)) return false
    if (/^(Log)?Softmax$/.test(next.opType)) return true
    if (!/^(Reshape|Transpose|Squeeze|Unsqueeze|Identity|Cast)$/.test(next.opType)) return false
    value = next.outputs[0] ?? ''
  }
  return false
}
