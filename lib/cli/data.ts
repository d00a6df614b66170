/** --data, --preprocess and --labels as samples. */
import { type LabelOf, readLabels } from '../data/labels.js'
import { type Preprocess, parsePreprocess } from '../data/preprocess.js'
import { openData, sampleFiles } from '../data/source.js'
import { OctavoError } from '../errors.js'
import type { Tensor } from '../session/tensor.js'
import { UsageError } from './errors.js'
import { modelInputs } from './model.js'
import type { DataFlags } from './options.js'

export interface CliData {
  /** Starts the samples anew. */
  readonly samples: () => AsyncGenerator<Record<string, Tensor>>
  /** Number of samples, where it is known before they are read. */
  readonly total: number | undefined
  /** Classes of the samples given so far, in their order. */
  readonly labels: number[] | undefined
}

export async function preprocess(spec: string | undefined): Promise<Preprocess> {
  return parsePreprocess(spec).catch((cause: unknown) => {
    throw new UsageError(cause instanceof Error ? cause.message : String(cause), { cause })
  })
}

export async function openSamples(
  model: string,
  flags: DataFlags & { readonly labels?: string },
  signal: AbortSignal,
): Promise<CliData> {
  const spec = await preprocess(flags.preprocess)
  const inputs = await modelInputs(model, signal)
  const open = await openData(flags.data, { inputs, preprocess: spec, samples: flags.samples })
  const files = await sampleFiles(flags.data)
  const labelOf = flags.labels === undefined ? undefined : await readLabels(flags.labels, files)
  const labels: number[] = []
  return {
    samples: async function* () {
      labels.length = 0
      for await (const { name, feeds } of open()) {
        if (labelOf) labels.push(label(labelOf, name, labels.length, flags.labels))
        yield { ...feeds }
      }
    },
    total: totalOf(files, flags.samples),
    labels: labelOf && labels,
  }
}

function label(labelOf: LabelOf, name: string, index: number, source: string | undefined): number {
  const found = labelOf(name, index)
  if (found !== undefined) return found
  throw new OctavoError('ERR_CALIBRATION_DATA', `Labels '${source}': none for the sample '${name}'.`)
}

/** Arrays may hold many samples, and modules say nothing: only images are one each. */
function totalOf(files: readonly string[], limit = Number.POSITIVE_INFINITY): number | undefined {
  const images = files.length > 0 && !files.some((f) => /\.(npy|npz|bin|raw|f32|u8|i8|i32|i64)$/i.test(f))
  return images ? Math.min(files.length, limit) : undefined
}
