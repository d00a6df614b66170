// Random graphs, quantized with defaults: each output is right or a warning names a node whose exclusion helps. Prints progress, and
// for each failure its seed and the smallest graph that fails.
//
//   node scripts/property.mjs [--graphs N] [--from SEED]
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'

const root = fileURLToPath(new URL('..', import.meta.url))
const { values: options } = parseArgs({
  options: {
    graphs: { type: 'string', default: '5000' },
    from: { type: 'string', default: '1' },
  },
})

const vitest = join(root, 'node_modules', 'vitest', 'vitest.mjs')
const { status } = spawnSync(
  process.execPath,
  [vitest, 'run', 'test/property/property.test.ts', '--disable-console-intercept'],
  {
    cwd: root,
    stdio: 'inherit',
    env: { ...process.env, OCTAVO_PROPERTY_GRAPHS: options.graphs, OCTAVO_PROPERTY_SEED: options.from },
  },
)
process.exitCode = status ?? 1
