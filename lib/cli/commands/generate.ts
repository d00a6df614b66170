/** octavo generate MODEL --tokenizer FILE --prompt TEXT */
import { Command, InvalidArgumentError } from 'commander'
import { OctavoError } from '../../errors.js'
import { generate as generateTokens } from '../../generate/index.js'
import { readTokenizer } from '../../generate/tokenizer.js'
import { InferenceSession } from '../../session/session.js'
import { collect, positiveInteger, THREADS } from '../options.js'
import { line, printJson } from '../output.js'
import { withSignals } from '../signals.js'

interface Flags {
  readonly tokenizer: string
  readonly prompt: string
  readonly maxTokens?: number
  readonly temperature?: number
  readonly topK?: number
  readonly topP?: number
  readonly seed?: number
  readonly stop?: string[]
  readonly threads?: number
  readonly json?: boolean
}

export function generate(): Command {
  return new Command('generate')
    .summary('continue a text by a language model')
    .description('Continue a text by a language model, and print what it adds as it comes.')
    .argument('<model>', 'ONNX file of a language model')
    .requiredOption('--tokenizer <file>', 'tokenizer.json of the model, or the folder that has it')
    .requiredOption('--prompt <text>', 'the text to continue')
    .option('--max-tokens <n>', 'most tokens to add (default: 256)', positiveInteger)
    .option(
      '--temperature <number>',
      'what logits are divided by; 0: always the likeliest token (default: 0)',
      decimal,
    )
    .option('--top-k <n>', 'draw from the n likeliest tokens only (default: all)', positiveInteger)
    .option('--top-p <p>', 'draw from the likeliest tokens of this probability only (default: 1)', decimal)
    .option('--seed <n>', 'of the random numbers (default: 0)', decimal)
    .option(
      '--stop <text>',
      'end where this text comes; may be repeated (default: the end that the tokenizer names)',
      collect,
    )
    .option('--threads <n>', THREADS, positiveInteger)
    .option('--json', 'print JSON, at the end')
    .addHelpText(
      'after',
      '\nExample:\n  octavo generate onnx/model_q4.onnx --tokenizer tokenizer.json --prompt "Once upon a time" --max-tokens 100',
    )
    .action((model: string, flags: Flags) => withSignals((signal) => act(model, flags, signal)))
}

/** With its past, and the last logits alone, where the model is made so. */
async function openModel(
  path: string,
  pastLimit: number,
  threads: number | undefined,
  signal: AbortSignal,
): Promise<InferenceSession> {
  const options = { intraOpNumThreads: threads, signal }
  for (const logits of ['last', 'all'] as const) {
    try {
      return await InferenceSession.create(path, { ...options, past: 'state', pastLimit, logits })
    } catch (error) {
      if (!(error instanceof OctavoError) || error.code !== 'ERR_UNSUPPORTED_OP') throw error
    }
  }
  return InferenceSession.create(path, options)
}

function decimal(text: string): number {
  const value = text.trim() === '' ? Number.NaN : Number(text)
  if (Number.isNaN(value)) throw new InvalidArgumentError('expected a number.')
  return value
}

async function act(path: string, flags: Flags, signal: AbortSignal): Promise<void> {
  const { maxTokens, temperature, topK, topP, seed, stop = [], threads } = flags
  const { tokenizer, ends } = await readTokenizer(flags.tokenizer)
  const prompt = tokenizer.encode(flags.prompt).ids
  const session = await openModel(path, prompt.length + (maxTokens ?? 256), threads, signal)
  const tokens: number[] = []
  const times: number[] = [performance.now()]
  let text = ''
  let finish: string | undefined
  try {
    const options = { tokenizer, maxTokens, temperature, topK, topP, seed, stop: [...ends, ...stop], signal }
    for await (const step of generateTokens(session, prompt, options)) {
      times.push(performance.now())
      tokens.push(step.token)
      text += step.text
      finish = step.finish
      if (!flags.json) process.stdout.write(step.text)
    }
  } finally {
    if (!flags.json && text) line()
    await session.release()
  }
  if (!flags.json) return
  const [start = 0, first = 0] = times
  printJson({
    text,
    finish,
    tokens,
    prompt: { tokens: prompt.length, milliseconds: first - start },
    tokensPerSecond: tokens.length < 2 ? null : ((tokens.length - 1) * 1000) / ((times.at(-1) ?? 0) - first),
  })
}
