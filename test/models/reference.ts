/** onnxruntime-node, where it is installed: in the project, or in the folder that OCTAVO_ORT_PATH names. */
import { createRequire } from 'node:module'
import path from 'node:path'
import type * as onnxruntime from 'onnxruntime-common'
import type { Sample } from './catalog.js'

type Runtime = typeof onnxruntime

function load(): Runtime | undefined {
  const folders = [process.env.OCTAVO_ORT_PATH, path.resolve('.')]
  for (const folder of folders) {
    if (!folder) continue
    try {
      return createRequire(path.join(path.resolve(folder), 'x.js'))('onnxruntime-node') as Runtime
    } catch (error) {
      if ((error as { code?: string }).code !== 'MODULE_NOT_FOUND') throw error
    }
  }
  console.warn('skipped: onnxruntime-node is not installed (OCTAVO_ORT_PATH names the folder that has it)')
  return undefined
}

export const reference = load()

export interface Result {
  readonly type: string
  readonly dims: readonly number[]
  readonly data: ArrayLike<number | bigint>
}

export interface ReferenceSession {
  run(sample: Sample): Promise<Readonly<Record<string, Result>>>
  release(): Promise<void>
}

export async function openReference(
  model: string | Uint8Array,
  options: { readonly optimize?: boolean } = {},
): Promise<ReferenceSession> {
  if (!reference) throw new Error('onnxruntime-node is not installed')
  const { InferenceSession, Tensor } = reference
  const settings = {
    logSeverityLevel: 4,
    intraOpNumThreads: 2,
    graphOptimizationLevel: options.optimize === false ? 'disabled' : 'all',
  } as const
  const session =
    typeof model === 'string'
      ? await InferenceSession.create(model, settings)
      : await InferenceSession.create(model, settings)
  return {
    async run(sample) {
      const feeds = Object.entries(sample).map(([name, { type, data, dims }]) => {
        return [name, new Tensor(type as 'float32', data as Float32Array, dims)] as const
      })
      return (await session.run(Object.fromEntries(feeds))) as unknown as Record<string, Result>
    },
    release: () => session.release(),
  }
}
