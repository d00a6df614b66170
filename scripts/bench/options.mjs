// The command line of `npm run bench`.
import { Command, InvalidArgumentError } from 'commander'
import { MODELS } from './models/index.mjs'

const EXAMPLE = `
Examples:
  npm run bench -- --models 'mobilenetv2|encoder' --seconds 5
  npm run bench -- --isa x86_avx2 --models resnet50 --json build/avx2.json
  npm run bench -- --against ../before --models 'mobilenetv2|mlperf' --seconds 3
  npm run bench -- --kernels --families qgemm,sgemm
  npm run bench -- --blocks --threads 1,2
  npm run bench -- --write docs/performance.md README.md

onnxruntime-node is installed into build/ (OCTAVO_ORT names a folder that has it); onnxruntime's quantizer runs in the Python that
OCTAVO_PYTHON names, else python3. What is absent is left out with a word.`

export function parseOptions(args) {
  const command = new Command('npm run bench --')
    .description(
      'Times models in Octavo and onnxruntime, in turn: medians, ratios, parts of what this machine can do.',
    )
    .option('--models <regex>', `models to time (${MODELS.map((m) => m.name).join(', ')})`, regex, /./)
    .option('--seconds <n>', 'seconds of timing for each case of a model', positive, 6)
    .option('--threads <list>', 'numbers of threads, as 1,2', threadList, [1])
    .option('--isa <name>', "Octavo's instruction set (as OCTAVO_ISA)")
    .option('--against <folder>', 'time this build beside that of another clone of Octavo, built, in one run')
    .option('--kernels', 'time kernels instead of models')
    .option('--blocks', 'time products by weights of 2, 4 and 8 bits in blocks instead of models')
    .option('--families <list>', 'with --kernels: families to time', (text) => text.split(','))
    .option('--quick', 'fewest repetitions, no Python, and compare results; fails on wrong ones')
    .option('--json <file>', 'write everything measured as JSON; - for standard output')
    .option(
      '--write <documents...>',
      'put the tables between the markers of documents: bench:x86, bench:summary, bench:kernels',
    )
    .addHelpText('after', EXAMPLE)
  return command.parse(args, { from: 'user' }).opts()
}

function regex(text) {
  try {
    return new RegExp(text)
  } catch (error) {
    throw new InvalidArgumentError(error.message)
  }
}

function positive(text) {
  const value = Number(text)
  if (value > 0 && Number.isFinite(value)) return value
  throw new InvalidArgumentError(`expected a number above 0, got '${text}'`)
}

function threadList(text) {
  return text.split(',').map((part) => {
    const value = positive(part)
    if (Number.isInteger(value)) return value
    throw new InvalidArgumentError(`expected numbers of threads, got '${text}'`)
  })
}
