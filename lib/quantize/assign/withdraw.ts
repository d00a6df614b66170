/** Takes fusions out of the assignment for what the data showed of their values. */
import type { Fusion, Fusions } from './fusions.js'

/** The fusions that neither read nor make one of these values, nor one to which such a value is moved. */
export function withdrawTouching(fusions: Fusions, values: Iterable<string>, reason: string): Fusions {
  const marked = new Set(values)
  const touches = ({ node, inputs, results }: Fusion) =>
    inputs.some((i) => marked.has(node.inputs[i] ?? '')) || results.some((name) => marked.has(name))
  return withdraw(fusions, (fusion) => {
    if (!touches(fusion)) return undefined
    // What moves such a value has the same.
    if (fusion.rule.kind === 'shared') for (const name of fusion.results) marked.add(name)
    return reason
  })
}

/** The fusions for which `reasonOf` gives no reason, asked in the order of the graph. */
export function withdraw(fusions: Fusions, reasonOf: (fusion: Fusion) => string | undefined): Fusions {
  const float = new Map(fusions.float)
  const integer = fusions.integer.filter((fusion) => {
    const reason = reasonOf(fusion)
    if (reason === undefined) return true
    for (const n of [fusion.node, ...fusion.fused]) float.set(n.name, reason)
    return false
  })
  return integer.length === fusions.integer.length ? fusions : { integer, float }
}
