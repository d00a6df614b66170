/** octavo bench MODEL [--vs MODEL2]: interleaved runs, so that both see the same noise of the machine. */
import { Command } from 'commander'
import { rangeError } from '../../errors.js'
import { InferenceSession, type ValueMetadata } from '../../session/session.js'
import { Tensor } from '../../session/tensor.js'
import { arrayOf, type TensorData } from '../../session/tensor-types.js'
import { collect, type DataFlags, positiveInteger, sampleOf, THREADS, withSample } from '../options.js'
import { line, printJson, printTable } from '../output.js'
import { withSignals } from '../signals.js'

interface Flags extends Partial<DataFlags> {
  readonly vs?: string
  readonly threads?: number
  readonly runs: number
  readonly shape?: string[]
  readonly json?: boolean
}

export function bench(): Command {
  return withSample(new Command('bench'))
    .summary('time a model, or two side by side')
    .description(
      'Time a model on made-up inputs or a sample, or two models in turn: median, 10th and 90th percentile in milliseconds, and the ratio of the medians.',
    )
    .argument('<model>', 'ONNX file')
    .option('--vs <model>', 'a second model, run in turn with the first (default: none)')
    .option('--threads <n>', THREADS, positiveInteger)
    .option('--runs <n>', 'timed runs of each model', positiveInteger, 30)
    .option(
      '--shape <name=sizes>',
      'sizes of an input, as x=1,3,224,224; may be repeated (default: those of the model, 1 for open ones)',
      collect,
    )
    .option('--json', 'print JSON')
    .addHelpText('after', '\nExample:\n  octavo bench mobilenet.onnx --vs mobilenet.int8.onnx --threads 1')
    .action((model: string, flags: Flags) => withSignals((signal) => act(model, flags, signal)))
}

interface Entry {
  readonly model: string
  readonly session: InferenceSession
  readonly feeds: Record<string, Tensor>
  readonly createMs: number
  readonly firstMs: number
  readonly times: number[]
}

async function act(model: string, flags: Flags, signal: AbortSignal): Promise<void> {
  const entries: Entry[] = []
  for (const path of flags.vs === undefined ? [model] : [model, flags.vs])
    entries.push(await open(path, flags, signal))
  checkNames(entries, flags.shape ?? [])
  for (let i = 0; i < flags.runs; ++i) {
    for (const entry of entries) {
      signal.throwIfAborted()
      entry.times.push(await timed(() => entry.session.run(entry.feeds)))
    }
  }
  const results = entries.map(({ model: name, createMs, firstMs, times }) => ({
    model: name,
    createMs,
    firstMs,
    ...spread(times),
  }))
  const [a, b] = results
  const ratio = a && b ? a.median / b.median : undefined
  for (const { session } of entries) await session.release()
  if (flags.json) return printJson({ runs: flags.runs, threads: flags.threads, results, ratio })
  printTable(
    ['model', 'median ms', 'p10 ms', 'p90 ms', 'first run ms', 'create ms'],
    results.map((r) => [
      r.model,
      ...[r.median, r.p10, r.p90, r.firstMs, r.createMs].map((ms) => ms.toFixed(3)),
    ]),
  )
  if (ratio !== undefined) line(`${model} takes ${ratio.toFixed(2)} times the time of ${flags.vs}`)
}

async function open(model: string, flags: Flags, signal: AbortSignal): Promise<Entry> {
  let session: InferenceSession | undefined
  const createMs = await timed(async () => {
    session = await InferenceSession.create(model, { intraOpNumThreads: flags.threads, signal })
  })
  const opened = session as unknown as InferenceSession
  const sample = await sampleOf(model, flags)
  const feeds = Object.fromEntries(
    opened.inputMetadata.map((input) => [
      input.name,
      sample?.[input.name] ?? seeded(input, flags.shape ?? []),
    ]),
  )
  const firstMs = await timed(() => opened.run(feeds))
  return { model, session: opened, feeds, createMs, firstMs, times: [] }
}

function checkNames(entries: readonly Entry[], shapes: readonly string[]): void {
  const names = entries.flatMap((e) => e.session.inputNames)
  const wrong = shapes.find((s) => !names.some((name) => s.startsWith(`${name}=`)))
  if (wrong === undefined) return
  const known = [...new Set(names)].join(', ')
  throw rangeError(`--shape: expected NAME=SIZES with one of the inputs ${known}, got '${wrong}'.`)
}

/** The same numbers in every run: a linear congruential generator (Numerical Recipes, section 7.1). */
function seeded(input: ValueMetadata, shapes: readonly string[]): Tensor {
  const given = shapes.find((s) => s.startsWith(`${input.name}=`))
  const dims = given
    ? given
        .slice(input.name.length + 1)
        .split(/[,x]/)
        .map(Number)
    : input.shape.map((d) => (typeof d === 'number' ? d : 1))
  if (dims.length !== input.shape.length || !dims.every((d) => Number.isSafeInteger(d) && d >= 0)) {
    throw rangeError(
      `--shape: expected ${input.shape.length} whole numbers for '${input.name}' ([${input.shape.join(', ')}]), got '${given}'.`,
    )
  }
  const array = arrayOf(input.type)
  if (!array) throw rangeError(`inputs of type ${input.type} cannot be made up.`)
  let state = 1
  const next = () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return state / 2 ** 32
  }
  const wide = input.type === 'int64' || input.type === 'uint64'
  const integer = !input.type.startsWith('float')
  const values = Array.from({ length: dims.reduce((p, d) => p * d, 1) }, () => {
    if (wide) return BigInt(Math.floor(next() * 64))
    return integer ? Math.floor(next() * (input.type === 'bool' ? 2 : 64)) : next() * 2 - 1
  })
  return new Tensor(input.type, array.from(values) as TensorData, dims)
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const started = performance.now()
  await work()
  return performance.now() - started
}

function spread(times: readonly number[]): { median: number; p10: number; p90: number } {
  const sorted = [...times].sort((a, b) => a - b)
  const at = (q: number) => sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))] ?? 0
  return { median: at(0.5), p10: at(0.1), p90: at(0.9) }
}
