// Times of a model's variants, all in one interleaved run.
import { OCTAVO, open, PEER } from './engines.mjs'
import { countWork } from './macs.mjs'
import { interleave } from './measure.mjs'
import { ACTIVATIONS, floatFile, inputData, octavoFile, peerFile } from './store.mjs'

/** Every file of a model with the engines and modes that run it. kind: float, or the activations of an int8 file. */
export async function variantsOf(model, peer) {
  const files = [{ kind: 'float', path: floatFile(model) }]
  for (const kind of ACTIVATIONS) files.push({ kind, path: await octavoFile(model, kind) })
  const variants = files.map((file) => ({ ...file, engine: OCTAVO, mode: 'runSync', by: 'octavo' }))
  if (model.tiny)
    variants.push(...files.map((file) => ({ ...file, engine: OCTAVO, mode: 'run', by: 'octavo' })))
  if (!peer) return variants
  variants.push(...files.map((file) => ({ ...file, engine: PEER, mode: 'run', by: 'octavo' })))
  if (!peer.quantizer) return variants
  for (const kind of ACTIVATIONS) {
    const path = await peerFile(model, kind, peer.quantizer)
    variants.push({ kind, path, engine: PEER, mode: 'run', by: 'onnxruntime' })
  }
  return variants
}

/**
 * One case of a model: { model, case, dims, threads, macs, weights, results: [variant with ms and gmacs], sameKernels }. sameKernels:
 * whether the files of both activations run on the same kernels, step for step.
 */
export async function timeCase(model, name, variants, { threads, modules, limits, between }) {
  const dims = model.cases[name]
  const { macs, weights } = await countWork(variants[0].path, dims)
  const work = { macs, weights }
  const data = inputData(dims)
  const opened = []
  try {
    for (const { engine, path, mode } of variants)
      opened.push(await open(modules[engine], { path, dims, data, threads, mode }))
    const pauses = threads > 1 && modules[PEER] !== undefined
    const times = await interleave(opened, { ...limits, between: () => between?.(work), pauses })
    const results = variants.map(({ kind, engine, mode, by }, i) => ({
      kind,
      engine,
      mode,
      by,
      ms: times[i],
      gmacs: work.macs / times[i].median / 1e6,
    }))
    const [unsigned, signed] = ACTIVATIONS.map(
      (kind) => opened[results.findIndex((r) => r.kind === kind)].kernels,
    )
    const sameKernels = unsigned.join('\n') === signed.join('\n')
    return {
      model: model.name,
      tiny: model.tiny === true,
      case: name,
      dims,
      threads,
      ...work,
      results,
      sameKernels,
    }
  } finally {
    for (const { release } of opened) await release()
  }
}

/** Octavo's median (int8: of the slower activations) over onnxruntime's; int8: over the best of its int8 variants. */
export function ratio({ results }, isFloat, mode = 'runSync') {
  const own = results.filter(
    (r) => r.engine === OCTAVO && r.mode === mode && (r.kind === 'float') === isFloat,
  )
  const other = results.filter((r) => r.engine === PEER && (r.kind === 'float') === isFloat)
  if (own.length === 0 || other.length === 0) return undefined
  return Math.max(...own.map((r) => r.ms.median)) / Math.min(...other.map((r) => r.ms.median))
}
