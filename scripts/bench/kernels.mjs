// npm run bench -- --kernels: every kernel that this CPU runs, by octavo_bench, family by family, with slices of the peak between.
import { loadavg } from 'node:os'
import { describeMachine, impliedBy, quietness } from './machine.mjs'
import { buildNativeBench, nativeBench, Peak } from './peak.mjs'
import { Progress } from './progress.mjs'
import { digits, percent } from './table.mjs'

const FAMILIES = ['qgemm', 'qdwconv', 'sgemm', 'blockgemm', 'rows', 'qsoftmax', 'q8']

export async function benchKernels(options) {
  const families = options.families ?? FAMILIES
  const unknown = families.filter((f) => !FAMILIES.includes(f))
  if (unknown.length > 0)
    throw new Error(`--families: expected some of ${FAMILIES.join(', ')}, got ${unknown.join(', ')}`)
  if (!buildNativeBench())
    throw new Error('octavo_bench is not there: install CMake, then npm run build:native')
  const load = loadavg()[0]
  const progress = new Progress(families.length)
  const peak = new Peak(true)
  const flags = [
    ...(options.quick ? ['--milliseconds', '0.1', '--samples', '1'] : []),
    ...(options.isa ? ['--isa', options.isa] : []),
  ]
  const kernels = []
  try {
    for (const family of families) {
      progress.step(family)
      await peak.slice()
      const lines = await nativeBench([...flags, family])
      kernels.push(...lines.filter((line) => line.family === family))
      await peak.slice()
    }
  } finally {
    progress.end()
  }
  for (const k of kernels)
    if (k.unit === 'GMAC/s') k.peak = peak.of(k.isa === 'scalar' ? [] : impliedBy(k.isa), k.float)
  const machine = { ...describeMachine(), load: [load, loadavg()[0]] }
  const peaks = peak.report()
  const results = { machine, kernels, peaks, quiet: quietness(machine, peaks).text }
  return { results, tables: families.map((family) => familyTable(results, family)) }
}

function familyTable({ kernels, quiet }, family) {
  const own = kernels.filter((k) => k.family === family)
  return {
    title: family,
    head: ['shape', 'kernel', 'microseconds', 'rate', 'of peak'],
    rows: own.map((k) => [
      k.shape,
      `${k.kernel} (${k.isa})`,
      digits(k.microseconds),
      `${digits(k.rate)} ${k.unit}`,
      percent(k.peak && k.rate / k.peak),
    ]),
    notes: [quiet],
  }
}
