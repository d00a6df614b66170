/** octavo run MODEL --input NAME=FILE */
import { mkdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { Command } from 'commander'
import { IMAGE_FILES, readImage } from '../../data/images.js'
import { formatNpy, readNpy } from '../../data/npy.js'
import { parsePreprocess } from '../../data/preprocess.js'
import { rangeError } from '../../errors.js'
import { checkWritable, writeFileAtomic } from '../../files.js'
import { InferenceSession, type ValueMetadata } from '../../session/session.js'
import type { Tensor } from '../../session/tensor.js'
import { collect, PREPROCESS, positiveInteger, THREADS } from '../options.js'
import { line, number, printJson, printTable } from '../output.js'
import { withSignals } from '../signals.js'

interface Flags {
  readonly input: string[]
  readonly preprocess?: string
  readonly top?: number
  readonly output?: string
  readonly threads?: number
  readonly force?: boolean
  readonly json?: boolean
}

export function run(): Command {
  return new Command('run')
    .summary('run a model once')
    .description(
      'Run a model once: print the type and sizes of each output, and the time of the run in milliseconds.',
    )
    .argument('<model>', 'ONNX file')
    .requiredOption(
      '--input <name=file>',
      '.npy file or image for an input; once per input (the name may be left out for a single input)',
      collect,
    )
    .option('--preprocess <spec>', PREPROCESS)
    .option('--top <n>', 'print the n largest elements of each output (default: none)', positiveInteger)
    .option(
      '--output <folder>',
      'write every output as a .npy file into this folder, which is made (default: write nothing)',
    )
    .option('--threads <n>', THREADS, positiveInteger)
    .option('--force', 'replace files that exist')
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      '\nExample:\n  octavo run mobilenet.int8.onnx --input cat.jpg --preprocess imagenet --top 5',
    )
    .action((model: string, flags: Flags) => withSignals((signal) => act(model, flags, signal)))
}

async function act(path: string, flags: Flags, signal: AbortSignal): Promise<void> {
  const session = await InferenceSession.create(path, { intraOpNumThreads: flags.threads, signal })
  const feeds = await readFeeds(session, flags)
  const files =
    flags.output === undefined ? [] : await filesFor(session.outputNames, flags.output, flags.force)
  const started = performance.now()
  const outputs = await session.run(feeds, { signal })
  const milliseconds = performance.now() - started
  if (flags.output !== undefined) await mkdir(flags.output, { recursive: true })
  for (const [name, file] of files) {
    await writeFileAtomic(file, formatNpy(outputs[name] as Tensor), { force: flags.force })
  }
  const described = Object.entries(outputs).map(([name, tensor]) => ({
    name,
    type: tensor.type,
    shape: tensor.dims,
    ...(flags.top === undefined ? {} : { top: largest(tensor, flags.top) }),
  }))
  await session.release()
  if (flags.json) return printJson({ milliseconds, outputs: described })
  for (const { name, type, shape, top } of described) {
    line(`${name}: ${type} [${shape.join(', ')}]`)
    if (top)
      printTable(
        ['index', 'value'],
        top.map((t) => [t.index, number(t.value, 6)]),
      )
  }
  line(`${milliseconds.toFixed(2)} ms`)
}

async function readFeeds(session: InferenceSession, flags: Flags): Promise<Record<string, Tensor>> {
  const preprocess = await parsePreprocess(flags.preprocess)
  const feeds: Record<string, Tensor> = {}
  for (const text of flags.input) {
    const { metadata, file } = splitInput(session.inputMetadata, text)
    const { name } = metadata
    if (Object.hasOwn(feeds, name)) throw rangeError(`--input: expected one file for '${name}', got two.`)
    if (IMAGE_FILES.test(file)) feeds[name] = await readImage(file, preprocess, metadata)
    else if (/\.npy$/i.test(file)) feeds[name] = await readNpy(file)
    else throw rangeError(`--input: expected a .npy file or an image (jpg, png, webp, ...), got '${file}'.`)
  }
  const missing = session.inputNames.find((name) => !Object.hasOwn(feeds, name))
  if (missing === undefined) return feeds
  throw rangeError(
    `--input: expected a file for each of the inputs ${session.inputNames.join(', ')}; got none for '${missing}'.`,
  )
}

function splitInput(
  inputs: readonly ValueMetadata[],
  text: string,
): { metadata: ValueMetadata; file: string } {
  const named = inputs.find((i) => text.startsWith(`${i.name}=`))
  if (named) return { metadata: named, file: text.slice(named.name.length + 1) }
  const [first] = inputs
  if (first && inputs.length === 1 && !text.includes('=')) return { metadata: first, file: text }
  throw rangeError(
    `--input: expected NAME=FILE with one of the inputs ${inputs.map((i) => i.name).join(', ')}, got '${text}'.`,
  )
}

function largest(tensor: Tensor, count: number): { index: number; value: number }[] {
  const values = Array.from(tensor.data as ArrayLike<number | bigint>, Number)
  return values
    .map((value, index) => ({ index, value }))
    .sort((a, b) => b.value - a.value)
    .slice(0, count)
}

/** The file of each output, checked before the model runs. */
async function filesFor(names: readonly string[], folder: string, force?: boolean) {
  const place = await stat(folder).catch(() => undefined)
  if (place && !place.isDirectory())
    throw rangeError(`--output: expected a folder, got the file '${folder}'.`)
  const files = names.map((name) => [name, join(folder, `${name.replace(/[^\w.-]/g, '_')}.npy`)] as const)
  if (place) for (const [, file] of files) await checkWritable(file, { force })
  return files
}
