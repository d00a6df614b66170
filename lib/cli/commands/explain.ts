/** octavo explain MODEL */
import { Command } from 'commander'
import { explain as explainModel } from '../../report/explain.js'
import { type DataFlags, sampleOf, withSample } from '../options.js'
import { line, printJson, printTable } from '../output.js'
import { withSignals } from '../signals.js'

interface Flags extends Partial<DataFlags> {
  readonly all?: boolean
  readonly json?: boolean
}

export function explain(): Command {
  return withSample(new Command('explain'))
    .summary('which nodes run in integers, and why others do not')
    .description(
      'Say which nodes of a model run in integers, which in float, and why. A model that is compiled for what it is fed needs --data.',
    )
    .argument('<model>', 'ONNX file')
    .option('--all', 'list every node (default: those that compute in float)')
    .option('--json', 'print JSON')
    .addHelpText('after', '\nExample:\n  octavo explain mobilenet.int8.onnx')
    .action((model: string, flags: Flags) =>
      withSignals(async (signal) => {
        const result = await explainModel(model, { feeds: await sampleOf(model, flags), signal })
        if (flags.json) return printJson(result)
        line(`instruction set: ${result.isa}`)
        printTable(
          ['operator', 'integer', 'float', 'data', 'shape', 'convert'],
          Object.entries(result.operators).map(([op, n]) => [
            op || '(added)',
            n.integer,
            n.float,
            n.data,
            n.shape,
            n.convert,
          ]),
        )
        const nodes = result.nodes.filter((n) => flags.all || n.kind === 'float')
        if (nodes.length === 0) return
        line()
        printTable(
          ['node', 'operator', 'runs as', 'step', 'kernel', 'why'],
          nodes.map((n) => [n.node, n.opType, n.kind, n.step, n.kernel, n.reason ?? '']),
        )
      }),
    )
}
