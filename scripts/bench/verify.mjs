// Whether what is timed is right: int8 outputs equal those of the scalar kernels bit for bit, and float outputs agree with
// onnxruntime's, or where that is absent with the scalar kernels', to a tolerance. In processes of their own, for the instruction set is chosen once.
import { inChild } from './processes.mjs'
import { ACTIVATIONS, floatFile, octavoFile } from './store.mjs'

/** Of the largest value: float products are summed in another order, through a hundred layers. */
const TOLERANCE = 1e-3

/** { model, what, ok, why? } of one case. */
export async function verifyCase(model, name, peer) {
  const dims = model.cases[name]
  const paths = [floatFile(model)]
  for (const kind of ACTIVATIONS) paths.push(await octavoFile(model, kind))
  const job = { kind: 'outputs', engine: 'octavo', paths, dims }
  const own = await inChild(job)
  const scalar = await inChild(job, { env: { OCTAVO_ISA: 'scalar' } })
  const float = peer
    ? await inChild({ ...job, engine: 'onnxruntime', folder: peer.folder, paths: [paths[0]] })
    : scalar
  const label = name === '' ? model.name : `${model.name} ${name}`
  const error = difference(floats(own[0]), floats(float[0]))
  return [
    {
      model: label,
      what: `float, ${peer ? 'onnxruntime' : 'scalar'}`,
      ok: error <= TOLERANCE,
      why: `differs by ${error.toPrecision(3)} of the largest value`,
    },
    ...ACTIVATIONS.map((kind, i) => ({
      model: label,
      what: `${kind} activations, bits of scalar`,
      ok: own[i + 1] === scalar[i + 1],
      why: 'bits differ',
    })),
  ]
}

function floats(base64) {
  const bytes = Buffer.from(base64, 'base64')
  return new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength))
}

/** Largest difference over largest value; infinite where one is no number or the sizes differ. */
export function difference(a, b) {
  if (a.length !== b.length || a.length === 0) return Number.POSITIVE_INFINITY
  let [largest, error] = [0, 0]
  for (let i = 0; i < a.length; ++i) {
    if (!Number.isFinite(a[i]) || !Number.isFinite(b[i])) return Number.POSITIVE_INFINITY
    largest = Math.max(largest, Math.abs(b[i]))
    error = Math.max(error, Math.abs(a[i] - b[i]))
  }
  return largest === 0 ? error : error / largest
}
