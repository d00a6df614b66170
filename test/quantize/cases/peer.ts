/** What onnxruntime gives for the samples of a case. */
import type { Sample } from '../../models/catalog.js'
import { openReference } from '../../models/reference.js'
import type { Feeds } from './trial.js'

/** The float outputs by name, a list per sample; as the file says, without onnxruntime's own rewrites. */
export async function referenceOutputs(
  model: Uint8Array,
  samples: readonly Feeds[],
): Promise<Map<string, ArrayLike<number>[]>> {
  const session = await openReference(model, { optimize: false })
  const outputs = new Map<string, ArrayLike<number>[]>()
  try {
    for (const feeds of samples) {
      for (const [name, { type, data }] of Object.entries(await session.run(feeds as unknown as Sample))) {
        if (type !== 'float32') continue
        outputs.set(name, [...(outputs.get(name) ?? []), data as Float32Array])
      }
    }
  } finally {
    await session.release()
  }
  return outputs
}
