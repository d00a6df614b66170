/** octavo quantize MODEL -o OUT [--data ...] */
import { Command } from 'commander'
import { rangeError } from '../../errors.js'
import { checkWritable, placeOf, writeFileAtomic } from '../../files.js'
import { type QuantizationReport, quantize as quantizeModel } from '../../quantize/index.js'
import { type DataFlags, feedsOf, openSamples, withOptionalData } from '../options.js'
import { bytes, line, ProgressBar, percent, printJson, warn } from '../output.js'
import { type RecipeFlags, recipeOptions, withRecipe } from '../recipe.js'
import { withSignals } from '../signals.js'

interface Flags extends Omit<DataFlags, 'data'>, RecipeFlags {
  readonly output: string
  readonly data?: string
  readonly saveRecipe?: string
  readonly force?: boolean
  readonly json?: boolean
}

export function quantize(): Command {
  const command = withOptionalData(new Command('quantize'))
    .summary('make a quantized model of a float one')
    .description(
      'Quantize a float ONNX model: to int8, calibrated on samples, or in the format of a preset or flags. Writes a standard QDQ ONNX file.',
    )
    .argument('<model>', 'float ONNX file')
    .requiredOption('-o, --output <file>', 'the quantized file')
  return withRecipe(command)
    .option(
      '--save-recipe <file>',
      'write the recipe that repeats this: all choices, as JSON (default: not written)',
    )
    .option('--force', 'replace files that exist, and write one even if nothing was quantized')
    .option('--json', 'print the report as JSON')
    .addHelpText(
      'after',
      `
Example:
  octavo quantize mobilenet.onnx -o mobilenet.int8.onnx --data photos/ --samples 200 --preprocess imagenet
  octavo quantize mobilenet.onnx -o mobilenet.int8.onnx --data photos/ --preprocess imagenet --recipe recipe.json
  octavo quantize language.onnx -o language.int4.onnx --weights int4 --group 32 --activations block`,
    )
    .action((model: string, flags: Flags) => withSignals((signal) => act(model, flags, signal)))
}

async function act(path: string, flags: Flags, signal: AbortSignal): Promise<void> {
  await checkPlaces(path, flags)
  const options = await recipeOptions(flags)
  const { data } = flags
  const samples = data === undefined ? undefined : await openSamples(path, { ...flags, data })
  const bar = new ProgressBar()
  try {
    const { model, recipe, report } = await quantizeModel(path, {
      ...options,
      ...(samples ? { data: () => feedsOf(samples()) } : {}),
      force: flags.force,
      onProgress: ({ phase, done, total }) => {
        const counted = phase === 'calibrate' ? (samples?.count ?? flags.samples) : undefined
        bar.update(phase, done, total ?? counted)
      },
      signal,
    })
    bar.stop()
    await writeFileAtomic(flags.output, model, { force: flags.force, signal })
    if (flags.saveRecipe !== undefined) {
      const text = new TextEncoder().encode(`${JSON.stringify(recipe, null, 2)}\n`)
      await writeFileAtomic(flags.saveRecipe, text, { force: flags.force, signal })
    }
    if (flags.json) return printJson({ output: flags.output, bytes: model.byteLength, recipe, report })
    line(`${flags.output}: ${gained(report)} than ${path} (${bytes(report.bytes.float)})`)
    for (const text of checked(report)) line(text)
    if (flags.saveRecipe !== undefined) line(`repeat it: --recipe ${flags.saveRecipe}`)
    line(`see what runs in integer: octavo explain ${flags.output}`)
    for (const warning of report.warnings) warn(warning)
  } finally {
    bar.stop()
  }
}

/** As "12 of 13 Conv and Gemm in integer, 1.2 MB, 3.90 times smaller". */
function gained({ products, bytes: sizes }: QuantizationReport): string {
  const ratio = sizes.float / sizes.quantized
  const than = ratio < 1 ? `${(1 / ratio).toFixed(2)} times larger` : `${ratio.toFixed(2)} times smaller`
  const kinds = products.opTypes.join(' and ') || 'products'
  const counts = [
    ...(products.weightOnly === 0 || products.integer > 0
      ? [`${products.integer} of ${products.total} ${kinds} in integer`]
      : []),
    ...(products.weightOnly > 0
      ? [`${products.weightOnly} of ${products.total} ${kinds} with integer weights`]
      : []),
  ]
  return `${counts.join(', ')}, ${bytes(sizes.quantized)}, ${than}`
}

/** How the outputs did on samples, and what was taken to float for them. */
function checked({ check }: QuantizationReport): string[] {
  if (!check) return []
  const lines = check.outputs.map(({ name, sqnr, top1Agreement }) => {
    const agreement =
      top1Agreement === undefined ? '' : `, the same largest element in ${percent(top1Agreement)} of the rows`
    return `${name}: ${sqnr === null ? 'as in float' : `SQNR ${sqnr.toFixed(1)} dB`}${agreement} (${check.samples} samples)`
  })
  const more = lines.length - MOST_LINES
  const shown = more > 0 ? [...lines.slice(0, MOST_LINES), `and ${more} more outputs`] : lines
  return check.repaired.length === 0
    ? shown
    : [...shown, `kept in float, because integers ruined an output: ${check.repaired.join(', ')}`]
}

/** Outputs that are printed. */
const MOST_LINES = 4

/** What is written must not be what is read, nor be there already unless it may be replaced. */
async function checkPlaces(model: string, { output, saveRecipe, recipe, force }: Flags): Promise<void> {
  const modelPlace = await placeOf(model)
  const outputPlace = await placeOf(output)
  if (outputPlace === modelPlace) {
    throw rangeError(`--output: expected another file than the model, got '${output}'.`)
  }
  await checkWritable(output, { force })
  if (saveRecipe === undefined) return
  const place = await placeOf(saveRecipe)
  const read = recipe === undefined ? [] : [await placeOf(recipe)]
  if ([modelPlace, outputPlace, ...read].includes(place)) {
    throw rangeError(`--save-recipe: expected another file than those of this job, got '${saveRecipe}'.`)
  }
  await checkWritable(saveRecipe, { force })
}
