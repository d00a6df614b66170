/** octavo quantize MODEL -o OUT --data ... */
import { stat } from 'node:fs/promises'
import { Command, Option } from 'commander'
import { rangeError } from '../../errors.js'
import { checkWritable, placeOf, writeFileAtomic } from '../../files.js'
import { quantize as quantizeModel } from '../../quantize/index.js'
import { type DataFlags, feedsOf, openSamples, regex, withData } from '../options.js'
import { bytes, line, ProgressBar, printJson } from '../output.js'
import { withSignals } from '../signals.js'

interface Flags extends DataFlags {
  readonly output: string
  readonly observer?: 'minmax' | 'percentile' | 'entropy' | 'mse' | 'moving-average' | 'mean-std'
  readonly perTensor?: boolean
  readonly activations?: 'int8' | 'uint8'
  readonly exclude?: RegExp[]
  readonly biasCorrection: boolean
  readonly force?: boolean
  readonly json?: boolean
}

const OBSERVERS = ['minmax', 'percentile', 'entropy', 'mse', 'moving-average', 'mean-std']

export function quantize(): Command {
  return withData(new Command('quantize'))
    .summary('make an int8 model of a float one')
    .description(
      'Quantize a float ONNX model to int8, calibrated on samples. Writes a standard QDQ ONNX file.',
    )
    .argument('<model>', 'float ONNX file')
    .requiredOption('-o, --output <file>', 'the quantized file')
    .addOption(new Option('--observer <name>', 'how ranges of activations are chosen').choices(OBSERVERS))
    .addOption(new Option('--activations <type>', 'type of activations').choices(['int8', 'uint8']))
    .option('--per-tensor', 'one scale per weight tensor instead of one per channel')
    .option('--exclude <regex>', 'nodes whose name matches stay in float (may be repeated)', regex)
    .option('--no-bias-correction', 'leave the biases as they are')
    .option('--force', 'replace the output if it exists')
    .option('--json', 'print the report as JSON')
    .addHelpText(
      'after',
      '\nExample:\n  octavo quantize mobilenet.onnx -o mobilenet.int8.onnx --data photos/ --samples 200 --preprocess imagenet',
    )
    .action((model: string, flags: Flags) => withSignals((signal) => act(model, flags, signal)))
}

async function act(path: string, flags: Flags, signal: AbortSignal): Promise<void> {
  if ((await placeOf(flags.output)) === (await placeOf(path))) {
    throw rangeError(`--output: expected another file than the model, got '${flags.output}'.`)
  }
  await checkWritable(flags.output, { force: flags.force })
  const samples = await openSamples(path, flags)
  const bar = new ProgressBar()
  try {
    const { model, recipe, report } = await quantizeModel(path, {
      data: () => feedsOf(samples()),
      weights: { granularity: flags.perTensor ? 'tensor' : 'channel' },
      activations: { type: flags.activations, observer: flags.observer },
      exclude: flags.exclude,
      biasCorrection: flags.biasCorrection,
      onProgress: ({ phase, done, total }) => bar.update(phase, done, total ?? flags.samples),
      signal,
    })
    bar.stop()
    await writeFileAtomic(flags.output, model, { force: flags.force, signal })
    if (flags.json) return printJson({ output: flags.output, bytes: model.byteLength, recipe, report })
    const before = (await stat(path)).size
    line(
      `${flags.output}: ${bytes(model.byteLength)}, ${(before / model.byteLength).toFixed(2)} times smaller than ${path} (${bytes(before)})`,
    )
    line(`see what runs in integer: octavo explain ${flags.output}`)
  } finally {
    bar.stop()
  }
}
