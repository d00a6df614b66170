/** Values that were infinite or NaN in some sample (masks) have no 8-bit form: the nodes around them stay in float. */
import { seenOf } from '../../statistics/summary.js'
import { withFusions } from '../assign/assign.js'
import type { Fusion, Fusions } from '../assign/fusions.js'
import type { Method } from '../quantization.js'

export const keepInfiniteFloat: Method = (quantization) => {
  const { fusions, collected } = quantization
  const infinite = [...collected.statistics].filter(([, s]) => seenOf(s).nonfinite > 0).map(([name]) => name)
  if (infinite.length === 0) return quantization
  return withFusions(quantization, withoutInfinite(fusions, infinite))
}

/** The fusions that neither read nor make one of these values, nor one to which such a value is moved. */
function withoutInfinite(fusions: Fusions, values: Iterable<string>): Fusions {
  const infinite = new Set(values)
  const touches = ({ node, inputs, results }: Fusion) =>
    inputs.some((i) => infinite.has(node.inputs[i] ?? '')) || results.some((name) => infinite.has(name))
  const float = new Map(fusions.float)
  const integer: Fusion[] = []
  for (const fusion of fusions.integer) {
    // What moves such a value has the same.
    if (touches(fusion) && fusion.rule.kind === 'shared') {
      for (const name of fusion.results) infinite.add(name)
    }
    if (!touches(fusion)) integer.push(fusion)
    else for (const n of [fusion.node, ...fusion.fused]) float.set(n.name, 'its values are not always finite')
  }
  return { integer, float }
}
