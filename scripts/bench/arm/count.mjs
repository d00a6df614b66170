// One run of a model under the emulator, counted: executed blocks of instructions, and where the libraries lay.
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { run } from '../../ci/tools.mjs'
import { COUNT, folder } from './toolchain.mjs'

const MAPS = fileURLToPath(new URL('./maps.cjs', import.meta.url))

/** Compilers of JavaScript are off: what they make of it differs from run to run. */
const NODE_OPTIONS = ['--single-threaded', '--no-opt', '--no-sparkplug', '--no-maglev', '--no-warnings']

/** Region 1 of the report is empty, region 2 is one run. */
const RUN_BLOCKS = 'blocks.2'

/**
 * Counts one run and returns { instructions, output, blocks, maps }, the last two being paths. `key` names the files; where they are
 * there already and `keep` is set, nothing is run.
 */
export function count({ plugin, sysroots, node }, { core, key, model, dims, engine, env, keep }) {
  const path = join(folder, key)
  const done = join(path, 'done.json')
  if (!(keep && existsSync(done))) {
    rmSync(path, { recursive: true, force: true })
    mkdirSync(path, { recursive: true })
    const counter = `${plugin},out=${join(path, 'report')},tb=${join(path, 'blocks')},threads=all`
    const emulator = ['-L', sysroots.get(core.name), '-cpu', core.cpu, '-plugin', counter]
    const program = [node, ...NODE_OPTIONS, '--require', MAPS, COUNT, model, dims.join(',')]
    const result = run('qemu-aarch64', [...emulator, ...program], {
      env: { ENGINE: engine, OCTAVO_MAPS: join(path, 'maps'), ...env },
    })
    if (!result.ok) throw new Error(`${model} could not be counted on ${core.name}`)
    const report = readFileSync(join(path, 'report'), 'utf8')
    const [, empty, whole] = /^ROI 1 insns (\d+)[\s\S]*^ROI 2 insns (\d+)/m.exec(report) ?? []
    if (whole === undefined) throw new Error(`${model} on ${core.name}: no count of a run`)
    const output = /output hash (-?\d+)/.exec(result.stdout)?.[1]
    const made = `${done}.new`
    writeFileSync(made, JSON.stringify({ instructions: Number(whole) - Number(empty), output }))
    renameSync(made, done)
  }
  return {
    ...JSON.parse(readFileSync(done, 'utf8')),
    blocks: join(path, RUN_BLOCKS),
    maps: join(path, 'maps'),
  }
}
