/** Options that several commands share, and their values. */
import { type Command, InvalidArgumentError } from 'commander'
import { readLabels } from '../data/labels.js'
import { PRESETS, parsePreprocess } from '../data/preprocess.js'
import { type NamedSample, type NamedSamples, openData, type TargetInput } from '../data/source.js'
import { rangeError } from '../errors.js'
import { formatDim } from '../graph/expr.js'
import { readModel } from '../onnx/index.js'

export function positiveInteger(text: string): number {
  const value = Number(text)
  if (!Number.isSafeInteger(value) || value < 1)
    throw new InvalidArgumentError('expected a positive integer.')
  return value
}

export function regex(text: string, before: readonly RegExp[] = []): RegExp[] {
  try {
    return [...before, new RegExp(text)]
  } catch (error) {
    throw new InvalidArgumentError(error instanceof Error ? error.message : String(error))
  }
}

export function collect(text: string, before: readonly string[] = []): string[] {
  return [...before, text]
}

/** Help of --preprocess. */
export const PREPROCESS = `how images become tensors: a preset (${Object.keys(PRESETS).join(', ')}), key=value pairs, or a .json file (default: raw, bytes 0 to 255)`

/** Help of --threads. */
export const THREADS = 'threads of one run (default: the cores that this process may use)'

const DATA =
  'folder of images, .npy/.npz or raw files; one such file; or a .js module that exports an async generator'

/** --data, --preprocess: one sample, for commands that can do without. */
export function withSample(command: Command): Command {
  return command
    .option('--data <path>', `what the model is fed, the first sample of: ${DATA} (default: none)`)
    .option('--preprocess <spec>', PREPROCESS)
}

/** The first sample of what --data names; undefined without it. */
export async function sampleOf(
  model: string,
  { data, preprocess }: Partial<DataFlags>,
): Promise<NamedSample['feeds'] | undefined> {
  if (data === undefined) return undefined
  const samples = await openSamples(model, { data, preprocess, samples: 1 })
  for await (const { feeds } of samples()) return feeds
  throw rangeError(`--data: expected at least one sample in '${data}', got none.`)
}

/** --data, --samples, --preprocess. */
export function withData(command: Command): Command {
  return withSamples(command.requiredOption('--data <path>', DATA))
}

/** The same, where some settings need no samples. */
export function withOptionalData(command: Command): Command {
  return withSamples(command.option('--data <path>', `${DATA} (default: none, where settings need none)`))
}

function withSamples(command: Command): Command {
  return command
    .option('--samples <n>', 'use at most this many samples (default: all)', positiveInteger)
    .option('--preprocess <spec>', PREPROCESS)
}

export interface DataFlags {
  readonly data: string
  readonly samples?: number
  readonly preprocess?: string
}

/** The inputs of a model file, as data sources want them. */
async function targetInputs(path: string): Promise<TargetInput[]> {
  const { graph } = await readModel(path)
  return graph.inputs.map((name) => {
    const type = graph.types.get(name)
    const shape = (type?.shape ?? []).map((d) => (typeof d === 'number' ? d : formatDim(d)))
    return { name, type: type?.dtype ?? 'float32', shape }
  })
}

export async function openSamples(model: string, flags: DataFlags): Promise<NamedSamples> {
  const preprocess = await parsePreprocess(flags.preprocess)
  return openData(flags.data, { inputs: await targetInputs(model), preprocess, samples: flags.samples })
}

/** The feeds of samples, without their names. */
export async function* feedsOf(samples: AsyncIterable<NamedSample>): AsyncGenerator<NamedSample['feeds']> {
  for await (const sample of samples) yield sample.feeds
}

/** Labels of all samples, in their order. */
export async function labelsOf(source: string, samples: AsyncIterable<NamedSample>): Promise<number[]> {
  const names: string[] = []
  for await (const sample of samples) names.push(sample.name)
  const labelOf = await readLabels(source, names)
  return names.map((name, i) => {
    const label = labelOf(name, i)
    if (label === undefined) throw rangeError(`--labels: '${source}' has no class for '${name}'.`)
    return label
  })
}
