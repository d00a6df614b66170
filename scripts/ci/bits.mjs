// Output bits of the models: of this machine, and of any other way to run them.
import { join } from 'node:path'
import { makeModels, models } from './models.mjs'
import { root, run } from './tools.mjs'

const script = join(root, 'scripts', 'ci', 'hash.mjs')

/** Runs the models with `command`, a Node and what comes before it; the lines `hash MODEL SHA256`, one per model. */
export function hashes(command, { threads = '1,2', env = {} } = {}) {
  const [program, ...args] = [...command, script, threads, ...models()]
  const { ok, stdout } = run(program, args, { env })
  const lines = stdout.split('\n')
  return {
    ok,
    isa: /^isa (\S+)$/.exec(lines[0] ?? '')?.[1],
    lines: lines.filter((line) => line.startsWith('hash ')),
  }
}

/** What every other way must give. Makes the models where they are missing. */
export async function expectedHashes() {
  await makeModels()
  const { ok, lines } = hashes([process.execPath], { threads: '1' })
  if (!ok || lines.length !== models().length) throw new Error('the models do not run on this machine')
  return lines
}

/** Names of the models whose hashes are not the expected ones. */
export function differing(expected, { ok, lines }) {
  const missing = expected.filter((line) => !lines.includes(line))
  const names = [...missing, ...lines.filter((line) => !expected.includes(line))].map((l) => l.split(' ')[1])
  return ok ? [...new Set(names)] : ['all: the run failed']
}
