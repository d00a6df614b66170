// Where the time of an int8 model goes: the least time of each of its steps, summed over steps of a kind, beside the products that
// they make. The least and not the median: it shows the kernel, not the machine.
import { OCTAVO, open } from './engines.mjs'
import { countWork } from './macs.mjs'
import { floatFile, inputData, octavoFile } from './store.mjs'

/** Rows { model, case, kind, steps, ms, macs } of one case of a model, one thread, uint8 activations; the largest ms first. */
export async function timeSteps(model, name, modules, { seconds, rounds }) {
  const dims = model.cases[name]
  const { nodes } = await countWork(floatFile(model), dims)
  const path = await octavoFile(model, 'uint8')
  const data = inputData(dims)
  const { run, profile, release } = await open(modules[OCTAVO], {
    path,
    dims,
    data,
    mode: 'runSync',
    profiling: true,
  })
  const least = []
  const started = performance.now()
  for (let round = 0; round < rounds || performance.now() - started < seconds * 1000; ++round) {
    run()
    profile().forEach((step, i) => {
      if (!(least[i]?.microseconds <= step.microseconds)) least[i] = step
    })
  }
  await release()
  const rows = new Map()
  for (const step of least) {
    const { kind, macs } = describe(step, nodes)
    const row = rows.get(kind) ?? { model: model.name, case: name, kind, steps: 0, ms: 0, macs: 0 }
    rows.set(kind, {
      ...row,
      steps: row.steps + 1,
      ms: row.ms + step.microseconds / 1000,
      macs: row.macs + macs,
    })
  }
  return [...rows.values()].sort((a, b) => b.ms - a.ms)
}

function describe(step, nodes) {
  const found = step.nodes.map((name) => nodes.get(name)).filter((node) => node !== undefined)
  if (found.length === 0) return { kind: 'other steps', macs: 0 }
  const adds = found[0].kind.startsWith('Conv') && step.nodes.some((name) => /^add/i.test(name))
  return {
    kind: found[0].kind + (adds ? ' and Add' : ''),
    macs: found.reduce((sum, { macs }) => sum + macs, 0),
  }
}
