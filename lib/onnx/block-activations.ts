/** What a file says of products of weights in blocks, in its metadata. */
import type { BlockActivations } from '../graph/graph.js'

/** The key of the entry. */
export const BLOCK_ACTIVATIONS = 'octavo.block_activations'

/** Undefined where the file says nothing, or a word that means nothing. */
export function blockActivationsOf(metadata: Readonly<Record<string, string>>): BlockActivations | undefined {
  const stated = metadata[BLOCK_ACTIVATIONS]
  return stated === 'block' || stated === 'float' ? stated : undefined
}
