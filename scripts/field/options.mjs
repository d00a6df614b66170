// The command line of `npm run field`.
import { Command, InvalidArgumentError } from 'commander'
import { MODELS } from './models/index.mjs'

const EXAMPLE = `
Examples:
  npm run field -- --list
  npm run field -- --only 'silero|deepcut'
  npm run field -- --write docs/field.md

Packages come through npm and pip as they are configured here, and stay in .cache/field. onnxruntime-node is looked for in build/peer and
where OCTAVO_ORT says; onnxruntime's quantizer runs in the Python that OCTAVO_PYTHON names, else python3. What is absent is
skipped, said and counted.`

export function parseOptions(args) {
  return new Command('npm run field --')
    .description(
      'Quantizes model files that npm and PyPI packages ship, with default options, and measures what became of them.',
    )
    .option('--only <regex>', 'models by name', chosen, MODELS)
    .option('--list', 'name the models and how their inputs are made, and stop')
    .option('--offline', 'use what is in the cache')
    .option('--no-quantizer', "leave out onnxruntime's own quantizer")
    .option('--json <file>', 'write everything measured as JSON; - for standard output')
    .option('--resume', 'keep the rows that the file of --json has, and measure the others')
    .option('--write <document>', 'put the tables between the markers <!-- field --> of a document')
    .addHelpText('after', EXAMPLE)
    .parse(args, { from: 'user' })
    .opts()
}

function chosen(text) {
  let found
  try {
    found = MODELS.filter(({ name }) => new RegExp(text).test(name))
  } catch (error) {
    throw new InvalidArgumentError(error.message)
  }
  if (found.length === 0) throw new InvalidArgumentError('no model has such a name (--list names all)')
  return found
}
