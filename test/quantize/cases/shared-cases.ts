/** The small models of `../shared/field-cases`: what is asked of them, their samples, and the float truth. */
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { readNpy } from '../../../lib/data/npy.js'
import { Tensor } from '../../../lib/session/tensor.js'
import { shared, sharedFiles } from '../../helpers/shared.js'
import type { Feeds, TrialInput } from './trial.js'

export interface SharedCase {
  readonly name: string
  readonly bar: number
  /** Which outputs the bar is for; undefined: all. */
  readonly outputs: readonly string[] | undefined
}

interface Entry {
  readonly job: string
  readonly sqnr_db?: number
  readonly outputs?: readonly string[]
}

/** [] where the folder is absent; that is said. */
export function sharedCases(): SharedCase[] {
  const [manifest] = sharedFiles('manifest.json', 'field-cases')
  if (manifest === undefined) return []
  const entries = Object.entries(JSON.parse(readFileSync(manifest, 'utf8')) as Record<string, Entry>)
  return entries.flatMap(([name, { job, sqnr_db: bar, outputs }]) =>
    job === 'quantize' && bar !== undefined ? [{ name, bar, outputs }] : [],
  )
}

export async function openSharedCase(name: string): Promise<TrialInput & { readonly truth: Feeds }> {
  const folder = shared('field-cases', name) ?? ''
  const read = async (prefix: string) => {
    const files = sharedFiles('.npy', 'field-cases', name).filter((f) => path.basename(f).startsWith(prefix))
    const tensors = files.map(
      async (f) => [path.basename(f, '.npy').slice(prefix.length), await readNpy(f)] as const,
    )
    return Object.fromEntries(await Promise.all(tensors))
  }
  const calibration = Object.entries(await read('calib_'))
  const count = calibration[0]?.[1].dims[0] ?? 0
  return {
    model: readFileSync(path.join(folder, 'model.onnx')),
    calibration: Array.from({ length: count }, (_, i) =>
      Object.fromEntries(calibration.map(([input, all]) => [input, sampleAt(all, i)])),
    ),
    held: [await read('in_')],
    truth: await read('out_'),
  }
}

/** The i-th of samples along the first axis. */
function sampleAt(all: Tensor, i: number): Tensor {
  const dims = all.dims.slice(1)
  const length = dims.reduce((n, d) => n * d, 1)
  const data = (all.data as Float32Array).slice(i * length, (i + 1) * length)
  return new Tensor(all.type, data, dims)
}
