/** octavo compare FLOAT INT8 --data ... */
import { Command } from 'commander'
import { compare as compareModels } from '../../report/compare.js'
import { type DataFlags, feedsOf, labelsOf, openSamples, withData } from '../options.js'
import { line, number, ProgressBar, percent, printJson, printTable } from '../output.js'
import { withSignals } from '../signals.js'

interface Flags extends DataFlags {
  readonly labels?: string
  readonly layers?: boolean
  readonly json?: boolean
}

export function compare(): Command {
  return withData(new Command('compare'))
    .summary('how far a quantized model is from the float one')
    .description(
      'Run a float and a quantized model on the same samples and say how they differ: cosine, SQNR in dB, largest difference, share of equal classes.',
    )
    .argument('<float>', 'float ONNX file')
    .argument('<int8>', 'quantized ONNX file')
    .option(
      '--labels <source>',
      'classes: a JSON or CSV file of names and class numbers, or the word folders (default: none, no accuracy)',
    )
    .option('--layers', 'compare every layer too, in the order of the graph')
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      '\nExample:\n  octavo compare mobilenet.onnx mobilenet.int8.onnx --data photos/ --preprocess imagenet --layers',
    )
    .action((float: string, int8: string, flags: Flags) =>
      withSignals((signal) => act(float, int8, flags, signal)),
    )
}

async function act(float: string, int8: string, flags: Flags, signal: AbortSignal): Promise<void> {
  const samples = await openSamples(float, flags)
  const labels = flags.labels === undefined ? undefined : await labelsOf(flags.labels, samples())
  const bar = new ProgressBar()
  try {
    const result = await compareModels(float, int8, {
      data: () => feedsOf(samples()),
      labels,
      layers: flags.layers,
      onProgress: (done, total) => bar.update('compare', done, total ?? samples.count ?? flags.samples),
      signal,
    })
    bar.stop()
    if (flags.json) return printJson(result)
    line(`${result.samples} samples`)
    printTable(
      ['output', 'cosine', 'SQNR dB', 'max difference', 'top-1 agreement', 'accuracy float', 'accuracy int8'],
      result.outputs.map((o) => [
        o.name,
        o.cosine.toFixed(6),
        decibels(o.sqnr),
        number(o.maxDifference),
        percent(o.top1Agreement),
        percent(o.accuracy?.float),
        percent(o.accuracy?.int8),
      ]),
    )
    if (!result.layers) return
    line()
    printTable(
      ['layer', 'operator', 'cosine', 'SQNR dB', 'max difference'],
      result.layers.map((l) => [
        l.name,
        l.opType,
        l.cosine.toFixed(6),
        decibels(l.sqnr),
        number(l.maxDifference),
      ]),
    )
  } finally {
    bar.stop()
  }
}

/** No noise at all has no ratio. */
function decibels(sqnr: number | null): string {
  return sqnr === null ? 'exact' : sqnr.toFixed(1)
}
