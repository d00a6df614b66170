// The limits of this machine, by octavo_bench (native/test/peak): slices of a few milliseconds all along the run, of which the best is
// the peak and the others say how much of the machine was ours.
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { output } from './processes.mjs'
import { summary } from './statistics.mjs'

const root = fileURLToPath(new URL('../..', import.meta.url))
const program = join(root, 'build', 'native', 'octavo_bench')

/** One sample, long enough that another program shows in it. */
const SLICE = ['--milliseconds', '3', '--samples', '1']

/** Builds octavo_bench where CMake configured the project; false where it cannot be had. */
export function buildNativeBench() {
  const folder = join(root, 'build', 'native')
  if (existsSync(join(folder, 'CMakeCache.txt')))
    spawnSync('cmake', ['--build', folder, '--target', 'octavo_bench'], {
      stdio: ['ignore', 'ignore', 'inherit'],
    })
  return existsSync(program)
}

/** Lines of octavo_bench as objects. */
export async function nativeBench(args, options) {
  const text = await output(program, ['--json', ...args], options)
  return text
    .trim()
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line))
}

export class Peak {
  #slices = new Map()
  #streams = new Map()
  #available

  constructor(available) {
    this.#available = available
  }

  /** One slice of every loop that this CPU has, and of reading `bytes` in order where they are given. */
  async slice(bytes) {
    if (!this.#available) return
    for (const { isa, float, kernel, rate } of await nativeBench([...SLICE, 'peak'])) {
      const key = `${isa} ${float ? 'float' : 'int8'}`
      const entry = this.#slices.get(key) ?? { isa, float, instruction: kernel, rates: [] }
      entry.rates.push(rate)
      this.#slices.set(key, entry)
    }
    if (!bytes) return
    const args = [...SLICE, '--bytes', String(bytes), 'stream']
    const [{ rate }] = await nativeBench(args)
    this.#streams.set(bytes, [...(this.#streams.get(bytes) ?? []), rate])
  }

  /** GMAC/s of the best instruction that `isa` may use for this type, or undefined where it was not measured. */
  of(isas, isFloat) {
    const rates = [...this.#slices.values()].filter((s) => s.float === isFloat && isas.includes(s.isa))
    return rates.length > 0 ? Math.max(...rates.flatMap((s) => s.rates)) : undefined
  }

  /** GB/s of reading a buffer of so many bytes, one thread. */
  stream(bytes) {
    const rates = this.#streams.get(bytes)
    return rates && Math.max(...rates)
  }

  /** Per loop: the best rate, and how the slices were spread. */
  report() {
    return [...this.#slices.values()].map(({ isa, float, instruction, rates }) => ({
      isa,
      float,
      instruction,
      peak: Math.max(...rates),
      slices: summary(rates),
    }))
  }
}
