/** What a quantization changed, as the check looks at it: integer fusions, and products of which the weights alone are integers. */
import { findOp } from '../../ops/registry.js'
import type { Fusion } from '../assign/fusions.js'
import type { Quantization } from '../quantization.js'

/** Those whose weights are stored by themselves come last; tables of rows, which are no products, are left out. */
export function changedParts({ fusions, weightOnly }: Quantization): readonly Fusion[] {
  const stored = [...weightOnly.values()].flatMap(({ node, weights }): Fusion[] => {
    const rule = findOp(node.domain, node.opType)?.quantize
    if (rule?.kind !== 'weighted') return []
    const results = node.outputs.filter((name) => name !== '')
    return [{ node, rule, inputs: [0], fused: [], results, weights }]
  })
  return [...fusions.integer, ...stored]
}
