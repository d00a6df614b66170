/** Calibration streams: the peak of memory does not grow with the number of samples. */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { mulberry32 } from '../../lib/calibrate/reservoir.js'
import { floatTensor, ints, modelBytes, node, value } from '../helpers/model.js'

/** 48 KB a sample: a thousand of them held would add half to the whole process. */
const SIDE = 64
const CHANNELS = 8
const entry = new URL('../../dist/index.js', import.meta.url).href

let folder: string
let model: string

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'octavo-memory-'))
  model = join(folder, 'model.onnx')
  const random = mulberry32(3)
  const noise = (n: number) => Array.from({ length: n }, () => random() - 0.5)
  const pads = ints('pads', [1, 1, 1, 1])
  writeFileSync(
    model,
    modelBytes({
      name: 'two convolutions',
      input: [value('x', [1, 3, SIDE, SIDE])],
      output: [value('y', [1, CHANNELS, SIDE, SIDE])],
      initializer: [
        floatTensor('w1', [CHANNELS, 3, 3, 3], noise(CHANNELS * 27)),
        floatTensor('w2', [CHANNELS, CHANNELS, 3, 3], noise(CHANNELS * CHANNELS * 9)),
      ],
      node: [
        node('Conv', ['x', 'w1'], ['a'], [pads]),
        node('Relu', ['a'], ['b']),
        node('Conv', ['b', 'w2'], ['y'], [pads]),
      ],
    }),
  )
})

afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** Peak resident size of a process that quantizes with this many samples, in KB. */
function peak(samples: number): number {
  const script = `
    import { quantize, Tensor } from ${JSON.stringify(entry)}
    function* feeds() {
      // One array for all samples: garbage of this generator is not memory of calibration.
      const data = new Float32Array(3 * ${SIDE} * ${SIDE})
      for (let i = 0; i < ${samples}; ++i) {
        for (let k = 0; k < data.length; ++k) data[k] = Math.sin(k * (i + 1))
        yield { x: new Tensor('float32', data, [1, 3, ${SIDE}, ${SIDE}]) }
      }
    }
    const { report } = await quantize(${JSON.stringify(model)}, { data: feeds() })
    console.log(JSON.stringify({ samples: report.samples, peak: process.resourceUsage().maxRSS }))
  `
  const { status, stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '--eval', script], {
    encoding: 'utf8',
  })
  expect(status, stderr).toBe(0)
  const printed = JSON.parse(stdout)
  expect(printed.samples).toBe(samples)
  return printed.peak
}

test('10 and 1,000 samples within 20 % of the same peak', () => {
  const [few, many] = [peak(10), peak(1000)]
  console.log(`peak resident size: ${few} KB with 10 samples, ${many} KB with 1,000`)
  expect(many).toBeLessThan(few * 1.2)
})
