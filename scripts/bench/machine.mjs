// What ran it, and whether the machine was ours.
import { readFileSync } from 'node:fs'
import { availableParallelism, cpus, loadavg } from 'node:os'
import { env, version } from '../../dist/index.js'

const table = JSON.parse(readFileSync(new URL('../../native/isa.json', import.meta.url), 'utf8')).isas

/** A machine counts as busy above this load before the run, or where the slices of the peak are this far below the best. */
const BUSY_LOAD = 0.5
const BUSY_SLICES = 0.95

export function describeMachine(peerVersion) {
  return {
    cpu: cpus()[0]?.model.trim() ?? process.arch,
    cores: availableParallelism(),
    isa: env.isa,
    node: process.versions.node,
    octavo: version,
    onnxruntime: peerVersion,
    load: [loadavg()[0]],
  }
}

/** Names of the instruction sets that kernels of `isa` may use. */
export function impliedBy(isa) {
  return [isa, ...(table.find((entry) => entry.name === isa)?.implies ?? [])]
}

/** Instruction sets that this CPU runs, best first. */
export async function supportedIsas() {
  const { binding } = await import('../../dist/native/load.js')
  return binding()
    .isas.filter((entry) => entry.compiled && entry.supported)
    .map((entry) => entry.name)
}

/** One sentence on how quiet it was. */
export function quietness({ load }, peaks) {
  const slices = peaks.map((p) => p.slices.median / p.peak)
  const least = slices.length > 0 ? Math.min(...slices) : undefined
  const isBusy = load[0] > BUSY_LOAD || (least !== undefined && least < BUSY_SLICES)
  const loads = `load ${load.map((l) => l.toFixed(2)).join(' before, ')} after`
  const rates = least === undefined ? '' : `; the median slice had ${Math.round(least * 100)} % of the peak`
  return { isBusy, text: `${isBusy ? 'The machine was BUSY' : 'The machine was quiet'}: ${loads}${rates}.` }
}
