/** Boxes in pixels and scores from 0 to 1 in one tensor, and others that are joined only to be taken apart again. */
import type { ModelBuilder } from '../../helpers/builder.js'
import { backbone, CELLS, CHANNELS, image, WIDTH } from './backbone.js'
import type { QuantizationCase } from './case.js'

/** A head of a detector, [1, channels, 48]. */
const head = (m: ModelBuilder, features: string, channels: number) =>
  m.reshape(m.conv(features, CHANNELS, channels, [1, 1]), [1, channels, CELLS])

const grid = (m: ModelBuilder) =>
  m.constant([1, 2, CELLS], (i) => 80 * (i < CELLS ? i % WIDTH : Math.floor((i - CELLS) / WIDTH)) + 40)

/** Boxes in pixels, 0 to 640: [1, 4, 48]. */
function boxes(m: ModelBuilder, features: string): string {
  const raw = m.op('Sigmoid', [head(m, features, 4)])
  const [xy, wh] = m.ops('Split', 2, [raw, m.int64([2, 2])], { axis: 1 }) as [string, string]
  const centres = m.op('Add', [m.op('Mul', [xy, 80]), grid(m)])
  return m.op('Concat', [centres, m.op('Mul', [wh, 640])], { axis: 1 })
}

const scores = (m: ModelBuilder, features: string, classes: number) =>
  m.op('Sigmoid', [m.op('Sub', [head(m, features, classes), 2])])

/** Boxes and scores joined, then taken apart by `after`, which declares the outputs. */
function detector(
  name: string,
  after: (m: ModelBuilder, joined: string) => readonly string[],
  more: Partial<QuantizationCase> = {},
): QuantizationCase {
  return {
    name,
    bar: 25,
    model: (m) => {
      const features = backbone(m)
      const joined = m.op('Concat', [boxes(m, features), scores(m, features, 5)], { axis: 1 })
      m.output(...after(m, joined))
    },
    sample: image,
    ...more,
  }
}

const rows = (m: ModelBuilder, joined: string) => m.op('Transpose', [joined], { perm: [0, 2, 1] })

export const detectors: readonly QuantizationCase[] = [
  detector(
    'boxes and scores, Transpose, Slice, the best score',
    (m, joined) => {
      const t = rows(m, joined)
      const best = m.reduce('ReduceMax', m.slice(t, 2, 4, 9), [2], 0)
      return [m.op('Mul', [m.slice(t, 2, 0, 4), 0.5]), m.op('Mul', [best, 1])]
    },
    { opset: 18 },
  ),
  detector('boxes and scores, Split', (m, joined) => {
    const [b, s] = m.ops('Split', 2, [rows(m, joined), m.int64([4, 5])], { axis: 2 }) as [string, string]
    return [b, m.op('Softmax', [m.op('Mul', [s, 8])], { axis: -1 })]
  }),
  detector('boxes and scores, Gather', (m, joined) => {
    const part = (indices: number[]) => m.op('Gather', [joined, m.int64(indices)], { axis: 1 })
    return [m.op('Div', [part([0, 1, 2, 3]), 640]), m.op('Sqrt', [part([4, 5, 6, 7, 8])])]
  }),
  detector('boxes, object and class scores: the product of two of its parts', (m, joined) => {
    const t = rows(m, joined)
    return [m.slice(t, 2, 0, 4), m.op('Mul', [m.slice(t, 2, 4, 5), m.slice(t, 2, 5, 9)])]
  }),
  detector('boxes and scores, Reshape, StridedSlice of corners', (m, joined) => {
    const t = m.reshape(rows(m, joined), [CELLS, 9])
    const [xy, wh] = [m.slice(t, 1, 0, 2), m.op('Mul', [m.slice(t, 1, 2, 4), 0.5])]
    return [m.op('Concat', [m.op('Sub', [xy, wh]), m.op('Add', [xy, wh])], { axis: 1 }), m.slice(t, 1, 4, 9)]
  }),
  detector('boxes and scores, the best rows by TopK and GatherElements', (m, joined) => {
    const t = rows(m, joined)
    const best = m.reduce('ReduceMax', m.slice(t, 2, 4, 9), [2], 0)
    const [top] = m.ops('TopK', 2, [best, m.int64([CELLS])], { axis: 1 }) as [string, string]
    return [top, m.slice(t, 2, 0, 4)]
  }),
  {
    name: 'flow and confidence resized together',
    bar: 25,
    model: (m) => {
      const features = backbone(m)
      const flow = m.op('Mul', [m.conv(features, CHANNELS, 2, [3, 3]), 200])
      const joined = m.op('Concat', [flow, m.op('Sigmoid', [m.conv(features, CHANNELS, 1, [3, 3])])], {
        axis: 1,
      })
      const larger = m.op('Resize', [joined, '', m.constant([4], [1, 1, 2, 2])], { mode: 'linear' })
      m.output(m.slice(larger, 1, 0, 2), m.op('Clip', [m.slice(larger, 1, 2, 3), 0]))
    },
    sample: image,
  },
  {
    name: 'parts padded together',
    bar: 25,
    model: (m) => {
      const features = backbone(m)
      const parts = [
        m.op('Mul', [m.conv(features, CHANNELS, 2, [3, 3]), 0.003]),
        m.conv(features, CHANNELS, 2, [3, 3]),
      ]
      const padded = m.op('Pad', [m.op('Concat', parts, { axis: 1 }), m.int64([0, 0, 1, 1, 0, 0, 1, 1])])
      const large = m.op('MaxPool', [m.slice(padded, 1, 2, 4)], { kernel_shape: [2, 2] })
      m.output(m.op('MaxPool', [m.slice(padded, 1, 0, 2)], { kernel_shape: [2, 2] }), large)
    },
    sample: image,
  },
]
