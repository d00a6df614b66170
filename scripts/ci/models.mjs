// Models for the stages that compare bits: one made here, which has every integer step, and the real ones that are
// at hand, quantized once.
import { existsSync, mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { root, skip } from './tools.mjs'

const folder = join(root, 'build', 'models')
/** Real models of moderate size: emulation is some fifty times slower than the machine. */
const REAL = [
  'mlperf_ic_resnet8.onnx',
  'mlperf_kws_dscnn.onnx',
  'resnet20_cifar10.onnx',
  'mlperf_ad_autoencoder.onnx',
  'mobilenet_v1_0.25_224_imagenet.onnx',
]

/** Paths of the quantized models; makes those that are missing. */
export function models() {
  return readdirSync(folder)
    .filter((name) => name.endsWith('.int8.onnx'))
    .sort()
    .map((name) => join(folder, name))
}

export async function makeModels() {
  mkdirSync(folder, { recursive: true })
  const { quantize, InferenceSession } = await import('../../dist/index.js')
  const { seededFeeds } = await import('./feeds.mjs')
  const { syntheticModel } = await import('./synthetic.mjs')
  // Kernels differ in the signedness of the activations that they take: files of both.
  const sources = [
    ['synthetic', syntheticModel()],
    ['synthetic-unsigned', syntheticModel()],
  ]
  const shared = join(root, '..', 'shared', 'models')
  if (!existsSync(shared)) skip('bits of real models', 'no folder ../shared/models')
  for (const name of existsSync(shared) ? REAL : []) {
    sources.push([basename(name, '.onnx'), join(shared, name)])
  }
  for (const [name, source] of sources) {
    const target = join(folder, `${name}.int8.onnx`)
    if (existsSync(target) && statSync(target).mtimeMs > statSync(join(root, 'dist', 'index.js')).mtimeMs)
      continue
    const session = await InferenceSession.create(source)
    const data = [...seededFeeds(session, 4)]
    await session.release()
    const options = name.endsWith('-unsigned') ? { activations: { type: 'uint8' } } : {}
    writeFileSync(target, (await quantize(source, { data, ...options })).model)
  }
}
