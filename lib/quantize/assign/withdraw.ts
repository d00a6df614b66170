/** Takes nodes out of the assignment for what the data showed of their values, and assigns the rest anew. */
import type { Quantization } from '../quantization.js'
import { assigned } from './assign.js'
import type { Fusion } from './fusions.js'

/** Withdraws the fusions that read or make one of these values, or one to which such a value is moved. */
export function withdrawTouching(
  quantization: Quantization,
  values: Iterable<string>,
  reason: string,
): Quantization {
  const marked = new Set(values)
  const touches = ({ node, inputs, results }: Fusion) =>
    inputs.some((i) => marked.has(node.inputs[i] ?? '')) || results.some((name) => marked.has(name))
  return withdraw(quantization, (fusion) => {
    if (!touches(fusion)) return undefined
    // What moves such a value has the same.
    if (fusion.rule.kind === 'shared') for (const name of fusion.results) marked.add(name)
    return reason
  })
}

/** Withdraws the fusions for which `reasonOf` gives a reason, asked in the order of the graph. */
export function withdraw(
  quantization: Quantization,
  reasonOf: (fusion: Fusion) => string | undefined,
): Quantization {
  const withdrawn = new Map(quantization.withdrawn)
  for (const fusion of quantization.fusions.integer) {
    const reason = reasonOf(fusion)
    if (reason === undefined) continue
    for (const { name } of [fusion.node, ...fusion.fused]) withdrawn.set(name, reason)
  }
  // What reads them, or lay between them, may not be worth integers any more.
  return withdrawn.size === quantization.withdrawn.size
    ? quantization
    : assigned({ ...quantization, withdrawn })
}
