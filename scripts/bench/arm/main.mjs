// Instructions and modelled cycles of one run on ARM cores, Octavo beside onnxruntime: npm run bench:arm -- --help
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { writePart } from '../document.mjs'
import { byFunction, joinLoops, modelCycles, readBlocks, readSymbols, writeBlocks } from './blocks.mjs'
import { CORES, products, TARGETS } from './cores.mjs'
import { count } from './count.mjs'
import { onnxruntime, octavo as own } from './engines.mjs'
import { models } from './models.mjs'
import { functions, innerLoops, wholeModels } from './table.mjs'
import { folder, missing, prepare } from './toolchain.mjs'

const HELP = `Usage: npm run bench:arm -- [options]

Counts the instructions of one run of int8 models on emulated ARM cores, and models their cycles with llvm-mca, for Octavo and
for onnxruntime's own arm64 binary. No clock is read: a loaded machine gives the same figures. Counts of onnxruntime are kept in
build/bench/arm.

  --models A,B       ${Object.keys(TARGETS).join(', ')} (default: all)
  --cores A,B        ${CORES.map(({ name }) => name).join(', ')} (default: all)
  --kernels          the inner loops of the matrix products: products per cycle, against the limit of the core
  --functions N      the N functions with the most instructions of each run
  --addon FILE       an octavo.node for arm64 instead of the prebuilt one (also: OCTAVO_BINARY)
  --folder DIR       where NAME.float.onnx and NAME.int8.onnx are (default: made in build/bench)
  --no-peer          Octavo alone
  --json FILE        also writes all figures there; - is stdout, instead of the tables
  --write FILE       puts the tables between the markers <!-- bench:arm --> of a document
  --help

Example: npm run bench:arm -- --models mobilenetv2 --cores cortex-a76 --functions 10
`

const { values: options } = parseArgs({
  allowNegative: true,
  options: {
    models: { type: 'string', default: '' },
    cores: { type: 'string', default: '' },
    kernels: { type: 'boolean', default: false },
    functions: { type: 'string', default: '0' },
    addon: { type: 'string', default: process.env.OCTAVO_BINARY },
    folder: { type: 'string' },
    peer: { type: 'boolean', default: true },
    json: { type: 'string' },
    write: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
})

if (options.help) process.stdout.write(HELP)
else {
  const reasons = missing()
  if (reasons.length > 0) {
    console.error(`bench:arm: nothing can be counted here\n${reasons.map((r) => `  ${r}`).join('\n')}`)
    process.exitCode = 1
  } else await bench()
}

async function bench() {
  const cores = chosenCores()
  const chosen = await models(list(options.models), options.folder)
  const tools = prepare()
  const engine = own(options.addon)
  const peer = options.peer ? onnxruntime() : undefined
  if (options.peer && peer === undefined) console.error('bench:arm: onnxruntime-node could not be installed')
  const symbols = readSymbols(engine.symbols)
  const rows = []
  for (const model of chosen)
    for (const core of cores) rows.push(measured(tools, model, core, engine, peer, symbols))
  const loops = options.kernels ? cores.map((core) => innerLoop(rows, core)).filter(Boolean) : []
  print(rows, loops)
}

function measured(tools, model, core, engine, peer, symbols) {
  const run = countOf(tools, model, core, engine)
  const other = peer && countOf(tools, model, core, peer)
  const all = byFunction(readBlocks(run.blocks), run.maps, engine.library, symbols)
  const hot = all.slice(0, Number(options.functions))
  return {
    model: model.name,
    core: core.name,
    macs: model.macs,
    limit: core.limit,
    target: TARGETS[model.name][CORES.indexOf(core)],
    octavo: { instructions: run.instructions, cycles: run.cycles },
    peer: other && { instructions: other.instructions, cycles: other.cycles },
    ratio: other && run.cycles / other.cycles,
    functions: hot.map((group) => ({
      name: group.name,
      instructions: group.instructions,
      cycles: cyclesOf(group, core).cycles,
    })),
    products: all
      .filter(({ name }) => name.includes('QGemmTile'))
      .map((group) => ({ ...group, blocks: joinLoops(group.blocks) })),
  }
}

function countOf(tools, model, core, engine) {
  const key = join(engine.name, `${model.name}-${model.hash}-${core.name}`)
  console.error(`bench:arm: ${model.name} on ${core.name}, ${engine.name}`)
  const { path: file, dims } = model
  const env = engine.env(core)
  const counted = count(tools, {
    core,
    key,
    model: file,
    dims,
    engine: engine.entry,
    env,
    keep: engine.keep,
  })
  return { ...counted, ...modelCycles(counted.blocks, core.scheduler) }
}

/** Cycles of some blocks, all of them modelled. */
function cyclesOf({ blocks }, core) {
  const path = join(folder, 'function.blocks')
  writeBlocks(path, blocks)
  return modelCycles(path, core.scheduler, 0.999)
}

/** The hottest loop of the matrix products that were counted on a core. */
function innerLoop(rows, core) {
  const blocks = rows.filter((row) => row.core === core.name).flatMap((row) => row.products)
  const candidates = blocks.flatMap((group) => {
    const loop = cyclesOf(group, core).hottest.find((block) => block.loop)
    const words = loop && group.blocks.find(({ address }) => address === loop.address)
    if (!words) return []
    const done = words.words.reduce((sum, word) => sum + products(word), 0)
    const weight = loop.cycles * words.executed
    return done === 0
      ? []
      : [
          {
            core: core.name,
            limit: core.limit,
            name: group.name,
            cycles: loop.cycles,
            products: done,
            weight,
          },
        ]
  })
  return candidates.sort((a, b) => b.weight - a.weight)[0]
}

function print(rows, loops) {
  const figures = { rows: rows.map(({ products: _, ...row }) => row), loops }
  const tables = [wholeModels(rows)]
  if (loops.length > 0) tables.push(innerLoops(loops))
  if (options.functions !== '0') tables.push(functions(rows))
  if (options.json === '-') console.log(JSON.stringify(figures, null, 2))
  else {
    if (options.json) writeFileSync(options.json, JSON.stringify(figures, null, 2))
    console.log(tables.join('\n\n'))
  }
  if (options.write) writePart(options.write, 'bench:arm', tables.join('\n\n'))
}

function chosenCores() {
  const names = list(options.cores)
  const unknown = names.filter((name) => !CORES.some((core) => core.name === name))
  if (unknown.length > 0)
    throw new Error(`no core ${unknown.join(', ')}; there are ${CORES.map((c) => c.name).join(', ')}`)
  return CORES.filter(({ name }) => names.length === 0 || names.includes(name))
}

function list(text) {
  return text.split(',').filter((name) => name !== '')
}
