/** Float models run as in onnxruntime: |a - b| <= 1e-3 |b| + 1e-5 max |b|, on 99.9 % of the elements where operators jump. */
import { afterAll, describe, expect, test } from 'vitest'
import { InferenceSession, Tensor } from '../../lib/index.js'
import { models, type Sample } from './catalog.js'
import { compareFloats } from './metrics.js'
import { openReference, type Result, reference } from './reference.js'

const worst: string[] = []
afterAll(() => console.log(worst.join('\n')))

const tensors = (sample: Sample) =>
  Object.fromEntries(Object.entries(sample).map(([name, t]) => [name, new Tensor(t.type, t.data, t.dims)]))

describe('float models against onnxruntime', () => {
  for (const { name, file, sample, discontinuous } of models) {
    test.skipIf(file === undefined || !reference)(name, async () => {
      if (file === undefined) return
      const [ours, theirs] = [await InferenceSession.create(file), await openReference(file)]
      let [bad, total, largest] = [0, 0, 0]
      for (const i of [3, 11]) {
        const feeds = await sample(i)
        const [got, wanted] = [await ours.run(tensors(feeds)), await theirs.run(feeds)]
        for (const output of ours.outputNames) {
          const result = compareFloats(got[output] as Result | undefined, wanted[output] as Result)
          bad += result.bad
          total += result.total
          largest = Math.max(largest, result.worst)
        }
      }
      await Promise.all([ours.release(), theirs.release()])
      worst.push(
        `${name}: ${bad} of ${total} outside, largest difference ${largest.toExponential(1)} of the range`,
      )
      expect(bad).toBeLessThanOrEqual(discontinuous ? total / 1000 : 0)
    })
  }
})
