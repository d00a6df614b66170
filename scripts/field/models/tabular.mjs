// Columns, and signals that are not sound.
import { join } from 'node:path'
import { float32 } from '../inputs/pixels.mjs'
import { encephalograms, trafficPairs } from '../inputs/signals.mjs'
import { seeded } from '../random.mjs'

/** Rows of the grid that the package's metadata gives for each column. */
const surface = (name, columns) => ({
  name: `surface-${name.replaceAll('_', '-')}`,
  pin: 'surfaces-onnx-files',
  file: `surfaces_onnx_files/${name}.onnx`,
  data: [],
  how: 'points of the grid of hyperparameters that the model was fitted on, 8 rows at a time',
  samples(_, half) {
    const random = seeded(half === 'calibration' ? 41 : 42)
    return Array.from({ length: 48 }, () => ({
      input: float32(
        [8, 4],
        Float32Array.from({ length: 32 }, (_, i) => random.pick(columns[i % 4])),
      ),
    }))
  },
})
const range = (from, to, step = 1) =>
  Array.from({ length: Math.floor((to - from) / step) + 1 }, (_, i) => from + i * step)

const pairs = (half, count) =>
  trafficPairs(half, count, 600).map((data) => ({ x: float32([1, 15, 600], data) }))

export const TABULAR = [
  surface('k_neighbors_classifier', [range(3, 147, 5), range(0, 3), range(2, 10), range(0, 2)]),
  surface('k_neighbors_regressor', [range(3, 147, 5), range(0, 3), range(0, 1), range(2, 10)]),
  surface('gradient_boosting_regressor', [range(2, 10), [0], range(2, 24, 2), range(3, 147, 5)]),
  {
    name: 'traffic-pair',
    pin: 'atspm-detector',
    file: 'atspm_detector/weights/funcnet/x100_w32full_pair.onnx',
    data: [],
    how: 'drawn: ten minutes of a traffic light and a detector, a value a second',
    samples: (_, half) => pairs(half, 32),
  },
  {
    name: 'traffic-head',
    pin: 'atspm-detector',
    file: 'atspm_detector/weights/funcnet/x100_w32full_head.onnx',
    data: [],
    how: 'what the float pair model says of drawn traffic lights, four detectors by three phases; a dropped pair is -10000',
    async samples({ folders, run }, half) {
      const path = join(folders['atspm-detector'], 'atspm_detector/weights/funcnet/x100_w32full_pair.onnx')
      const random = seeded(half === 'calibration' ? 43 : 44)
      const found = []
      for (const feeds of pairs(half, 72)) found.push(await run(path, feeds))
      return Array.from({ length: 24 }, () => {
        const some = Array.from({ length: 12 }, () => (random.next() < 0.2 ? undefined : random.pick(found)))
        return {
          logit: float32(
            [4, 3],
            Float32Array.from(some, (p) => p?.s.data[0] ?? -1e4),
          ),
          Z: float32(
            [4, 3, 128],
            Float32Array.from(some.flatMap((p) => [...(p?.z.data ?? new Float32Array(128))])),
          ),
          act: float32(
            [4],
            Float32Array.from({ length: 4 }, () => (random.next() < 0.9 ? 1 : 0)),
          ),
        }
      })
    },
  },
  {
    name: 'seizure',
    pin: 'brainmaze-eeg-models',
    file: 'brainmaze_eeg_models/seizure/_models/modelA_paper.onnx',
    data: [],
    how: 'drawn: 1/f noise, in half of them growing spikes and waves; spectra as the package makes them',
    samples: (_, half) => encephalograms(half, 20, 120).map((data) => ({ x: float32([1, 100, 120], data) })),
  },
]
