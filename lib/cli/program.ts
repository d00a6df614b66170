/** All commands, and what they have in common. */
import { Command } from 'commander'
import { version } from '../session/env.js'
import { bench } from './commands/bench.js'
import { compare } from './commands/compare.js'
import { doctor } from './commands/doctor.js'
import { explain } from './commands/explain.js'
import { generate } from './commands/generate.js'
import { inspect } from './commands/inspect.js'
import { quantize } from './commands/quantize.js'
import { run } from './commands/run.js'

export function program(): Command {
  const root = new Command('octavo')
    .description('Quantize ONNX models, and run them on integer kernels.')
    .version(version)
    .showHelpAfterError('(add --help for the options)')
    .configureHelp({ subcommandTerm: (command) => command.name() })
    .exitOverride()
  for (const command of [quantize, run, generate, compare, bench, inspect, explain, doctor]) {
    root.addCommand(
      command()
        .option('--verbose', 'add the stack to an error')
        .exitOverride()
        .showHelpAfterError('(add --help for the options)'),
    )
  }
  root.addHelpText(
    'after',
    [
      '',
      'octavo COMMAND --help shows the options of a command.',
      'Exit code 0: done; 1: the job failed; 2: wrong usage.',
      '',
      'Example:',
      '  octavo quantize model.onnx -o model.int8.onnx --data photos/ --preprocess imagenet',
    ].join('\n'),
  )
  return root
}
