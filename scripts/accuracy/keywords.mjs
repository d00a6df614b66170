// 1,000 spoken words of MLPerf Tiny as int8 features.
import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { classJudge } from './classes.mjs'
import { sharedFile } from './packages.mjs'
import { split } from './random.mjs'

/** How the features were quantized: those of MLPerf's own int8 model. */
const [SCALE, ZERO_POINT] = [0.584703, 83]

export const keywordTasks = [
  {
    name: 'mlperf_kws_dscnn',
    score: 'top-1',
    goal: { least: 90 },
    async load() {
      const model = sharedFile('mlperf_kws_dscnn.onnx')
      const list = sharedFile('data', 'kws01', 'y_labels.csv')
      const rows = readFileSync(list, 'utf8')
        .trim()
        .split('\n')
        .map((line) => line.trim().split(','))
      const sample = (i) => {
        const bytes = readFileSync(join(dirname(list), rows[i][0]))
        const data = Float32Array.from(new Int8Array(bytes), (q) => (q - ZERO_POINT) * SCALE)
        return { dims: [1, 1, 49, 10], data }
      }
      const { calibration, test } = split(rows.length)
      return {
        model,
        calibration: calibration.map((i) => () => sample(i)),
        test,
        sample,
        batch: 1,
        right: classJudge((i) => Number(rows[i][2])),
      }
    },
  },
]
