// The files that are timed, in build/bench: the float model and what Octavo and onnxruntime's quantizer make of it. Each is
// made once, and again when what makes it is newer. Files appear under their names when they are complete.
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { InferenceSession, quantize, Tensor } from '../../dist/index.js'
import { gaussian, uniform } from './models/builder.mjs'

const root = fileURLToPath(new URL('../..', import.meta.url))
export const folder = join(root, 'build', 'bench')
const SAMPLES = 4

/** Activations of the quantized files; weights are int8, one scale per channel, everywhere. */
export const ACTIVATIONS = ['uint8', 'int8']

/** Seeded input of the given sizes. */
export function inputData(dims, seed = 7) {
  const random = uniform(seed)
  return Float32Array.from({ length: dims.reduce((p, d) => p * d, 1) }, () => gaussian(random))
}

export function floatFile(model) {
  const file = join(folder, `${model.name}.float.onnx`)
  const sources = readdirSync(new URL('models/', import.meta.url)).map((f) =>
    fileURLToPath(new URL(`models/${f}`, import.meta.url)),
  )
  if (isStale(file, model.path === undefined ? sources : [model.path])) {
    mkdirSync(folder, { recursive: true })
    if (model.path === undefined) place(file, model.make())
    else {
      copyFileSync(model.path, `${file}.${process.pid}`)
      renameSync(`${file}.${process.pid}`, file)
    }
  }
  return file
}

/** Octavo's file, by the quickest recipe: what the scales are costs no time where the model runs. */
export async function octavoFile(model, activations) {
  const source = floatFile(model)
  const file = join(folder, `${model.name}.${activations}.onnx`)
  if (isStale(file, [source, join(root, 'dist', 'index.js')])) {
    const input = await inputName(source)
    const data = calibration(model).map((make) => {
      const { dims, data: values } = make()
      return { [input]: new Tensor('float32', values, dims) }
    })
    const recipe = { activations: { type: activations, observer: 'minmax' }, biasCorrection: false }
    place(file, (await quantize(source, { data, ...recipe })).model)
  }
  return file
}

/** The file of onnxruntime's quantizer, with the settings that it runs fastest. */
export async function peerFile(model, activations, quantizer) {
  const source = floatFile(model)
  const file = join(folder, `${model.name}.${activations}.onnxruntime.onnx`)
  if (isStale(file, [source])) {
    const settings = {
      per_channel: true,
      reduce_range: false,
      activation_type: activations === 'uint8' ? 'QUInt8' : 'QInt8',
      weight_type: 'QInt8',
    }
    place(file, await quantizer.quantize(source, await inputName(source), calibration(model), settings))
  }
  return file
}

/** Seeded samples of the first case, each made when it is asked for. */
function calibration(model) {
  const [dims] = Object.values(model.cases)
  return Array.from({ length: SAMPLES }, (_, i) => () => ({ dims, data: inputData(dims, 100 + i) }))
}

async function inputName(file) {
  const session = await InferenceSession.create(new Uint8Array(readFileSync(file)))
  await session.release()
  return session.inputNames[0]
}

function isStale(file, sources) {
  if (!existsSync(file)) return true
  const made = statSync(file).mtimeMs
  return sources.some((source) => statSync(source).mtimeMs > made)
}

function place(file, bytes) {
  writeFileSync(`${file}.${process.pid}`, bytes)
  renameSync(`${file}.${process.pid}`, file)
}
