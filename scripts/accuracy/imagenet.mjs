// 500 images of ImageNet, 256 x 256, one or none of each class.
import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import sharp from 'sharp'
import { classJudge } from './classes.mjs'
import { sharedFile } from './packages.mjs'
import { split } from './random.mjs'

const SIDE = 256

export const imagenetTasks = [
  task('mobilenet_v1_0.25_224_imagenet', 224, [0, 1, 2], (byte) => byte / 127.5 - 1, { loss: 2 }),
  task('squeezenet_v1.1_imagenet', 227, [2, 1, 0], (byte, channel) => byte - [104, 117, 123][channel], {
    loss: 0.5,
  }),
]

let loading

/** `order`: which of R, G, B each channel of the input is. */
function task(name, size, order, pixel, goal) {
  return {
    name,
    score: 'top-1',
    goal,
    async load() {
      const model = sharedFile(`${name}.onnx`)
      loading ??= loadImages()
      const { images, labels } = await loading
      const sample = (i) => ({ dims: [1, 3, size, size], data: centre(images[i], size, order, pixel) })
      const { calibration, test } = split(images.length)
      return {
        model,
        calibration: calibration.map((i) => () => sample(i)),
        test,
        sample,
        batch: 1,
        right: classJudge((i) => labels[i]),
      }
    },
  }
}

async function loadImages() {
  const list = sharedFile('data', 'imagenet500_labels.json')
  const entries = Object.entries(JSON.parse(readFileSync(list, 'utf8')))
  const images = []
  for (const [file] of entries) {
    images.push(
      await sharp(join(dirname(list), 'imagenet500_256', file))
        .toColourspace('srgb')
        .removeAlpha()
        .raw()
        .toBuffer(),
    )
  }
  return { images, labels: entries.map(([, label]) => label) }
}

function centre(rgb, size, order, pixel) {
  const data = new Float32Array(3 * size * size)
  const margin = (SIDE - size) >> 1
  for (let y = 0; y < size; ++y) {
    for (let x = 0; x < size; ++x) {
      const from = ((y + margin) * SIDE + x + margin) * 3
      for (let c = 0; c < 3; ++c) data[(c * size + y) * size + x] = pixel(rgb[from + order[c]], c)
    }
  }
  return data
}
