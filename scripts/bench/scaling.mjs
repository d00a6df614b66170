// Octavo against itself: two threads against one, and the best instruction set against AVX2 alone.
import { OCTAVO, open } from './engines.mjs'
import { interleave } from './measure.mjs'
import { nativeBench } from './peak.mjs'
import { inChild } from './processes.mjs'
import { floatFile, inputData, octavoFile } from './store.mjs'

/** Medians of one and two threads, int8. */
export async function timeScaling(model, modules, limits) {
  const [dims] = Object.values(model.cases)
  const path = await octavoFile(model, 'uint8')
  const data = inputData(dims)
  const opened = []
  for (const threads of [1, 2])
    opened.push(await open(modules[OCTAVO], { path, dims, data, threads, mode: 'runSync' }))
  const [one, two] = await interleave(opened, limits)
  for (const { release } of opened) await release()
  return { model: model.name, one, two, speedup: one.median / two.median }
}

/** Float and int8 of a model with an instruction set forced, and the best rate of its kernels on a square product. */
export async function timeIsa(isa, model, limits, hasNative) {
  const [dims] = Object.values(model.cases)
  const files = [floatFile(model), await octavoFile(model, 'uint8')]
  const entries = files.map((path) => ({ path, mode: 'runSync' }))
  const job = { kind: 'times', entries, dims, seconds: limits.seconds, threads: 1 }
  const { results } = await inChild(job, { env: { OCTAVO_ISA: isa } })
  const args = ['--isa', isa, '--shape', '512x512x512', 'qgemm']
  const lines = hasNative ? await nativeBench(args) : []
  const square = lines.length > 0 ? Math.max(...lines.map((l) => l.rate)) : undefined
  return { isa, model: model.name, float: results[0], int8: results[1], square }
}
