/** octavo inspect MODEL */
import { Command } from 'commander'
import { inspect as inspectModel } from '../../report/inspect.js'
import { bytes, line, number, printJson, printTable } from '../output.js'
import { withSignals } from '../signals.js'

export function inspect(): Command {
  return new Command('inspect')
    .summary('what is in a model file')
    .description('Show what is in a model file: inputs, outputs, operators, weights, ranges and scales.')
    .argument('<model>', 'ONNX file')
    .option('--json', 'print JSON')
    .addHelpText('after', '\nExample:\n  octavo inspect mobilenet.onnx')
    .action((model: string, flags: { json?: boolean }) =>
      withSignals(async (signal) => {
        const result = await inspectModel(model, { signal })
        if (flags.json) return printJson(result)
        line(
          `${model}: ${bytes(result.bytes)}, opset ${result.opset}, IR ${result.irVersion}, made by ${result.producer || 'unknown'}`,
        )
        line(`${result.nodes} nodes, ${result.parameters} parameters (${bytes(result.parameterBytes)})`)
        line()
        const shape = (s: readonly (number | string)[] | undefined) =>
          s === undefined ? '?' : `[${s.join(', ')}]`
        printTable(
          ['', 'name', 'type', 'shape'],
          [
            ...result.inputs.map((v) => ['input', v.name, v.type ?? '?', shape(v.shape)]),
            ...result.outputs.map((v) => ['output', v.name, v.type ?? '?', shape(v.shape)]),
          ],
        )
        line()
        printTable(['operator', 'nodes'], Object.entries(result.operators))
        if (result.weights.length > 0) {
          line()
          printTable(
            [
              'weights',
              'type',
              'shape',
              'min',
              'max',
              'mean',
              'deviation',
              'scale',
              'zero point',
              'bits in file',
              'in memory',
            ],
            result.weights.map((w) => [
              w.name,
              w.type,
              shape(w.shape),
              number(w.min),
              number(w.max),
              number(w.mean),
              number(w.deviation),
              several(w.scale),
              several(w.zeroPoint),
              number(w.fileBits),
              w.memoryBits === undefined ? '?' : number(w.memoryBits),
            ]),
          )
        }
        if (result.quantized.length === 0) return
        line()
        printTable(
          ['quantized tensor', 'type', 'min', 'max', 'scale', 'zero point'],
          result.quantized.map((q) => [
            q.name,
            q.type,
            number(q.min),
            number(q.max),
            number(q.scale),
            q.zeroPoint,
          ]),
        )
      }),
    )
}

/** One number, or the ends of several. */
function several(values: readonly number[] | undefined): string {
  if (values === undefined || values.length === 0) return ''
  const [low, high] = values.reduce(([a, b], x) => [Math.min(a, x), Math.max(b, x)], [Infinity, -Infinity])
  return low === high ? number(low) : `${number(low)} to ${number(high)} (${values.length})`
}
