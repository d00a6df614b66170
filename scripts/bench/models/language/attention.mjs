// Self-attention of a decoder with the past as inputs and outputs, in two spellings.
import { int64s, tensorFromNumbers } from '../../../../dist/graph/tensor.js'
import { headSize } from './shapes.mjs'

const INT32 = 6
const BOOL = 9
const MICROSOFT = 'com.microsoft'

const pastOf = (i) => [`past_key_values.${i}.key`, `past_key_values.${i}.value`]
const presentOf = (i) => [`present.${i}.key`, `present.${i}.value`]

/** q, k and v of a layer: three products. */
function projections({ shape, linear }, x, i) {
  const narrow = shape.keyHeads * headSize(shape)
  return [
    linear(`${i}.q`, x, [shape.width, shape.width]),
    linear(`${i}.k`, x, [narrow, shape.width]),
    linear(`${i}.v`, x, [narrow, shape.width]),
  ]
}

/** GroupQueryAttention; the lengths are computed from the mask, as onnxruntime-genai's builder has it. */
export function groupQueryAttention(graph) {
  const { b, shape, settings, mask, positions, cos, sin } = graph
  const sums = b.node('ReduceSum', [mask, b.integers([1])], { keepdims: 0 })
  const one = b.tensor(tensorFromNumbers('int64', [], [1]))
  const lengths = b.node('Cast', [b.node('Sub', [sums, one])], { to: INT32 })
  const last = b.node('Gather', [b.node('Shape', [mask]), one], { axis: 0 })
  const total = b.node('Cast', [last], { to: INT32 })
  const inside = settings.attention === 'group-query'
  return (x, i) => {
    let [q, k, v] = projections(graph, x, i)
    if (!inside) {
      const turn = (value, heads) =>
        b.node(
          'RotaryEmbedding',
          [value, positions, cos, sin],
          { num_heads: heads, interleaved: 0 },
          { domain: MICROSOFT },
        )
      q = turn(q, shape.heads)
      k = turn(k, shape.keyHeads)
    }
    const inputs = settings.packed ? [b.node('Concat', [q, k, v], { axis: -1 }), '', ''] : [q, k, v]
    const output = b.node(
      'GroupQueryAttention',
      [...inputs, ...pastOf(i), lengths, total, ...(inside ? [cos, sin] : [])],
      {
        num_heads: shape.heads,
        kv_num_heads: shape.keyHeads,
        do_rotary: inside ? 1 : 0,
        rotary_interleaved: 0,
        scale: { float: 1 / Math.sqrt(headSize(shape)) },
        ...(settings.window ? { local_window_size: settings.window } : {}),
        ...(settings.softcap ? { softcap: { float: settings.softcap } } : {}),
      },
      { domain: MICROSOFT, outputs: [`attention.${i}`, ...presentOf(i)] },
    )
    return output
  }
}

/** In standard operators, as optimum exports them. */
export function spelledAttention(graph) {
  const { b, shape, settings, mask, positions, cos, sin } = graph
  const size = headSize(shape)
  const repeats = shape.heads / shape.keyHeads
  const scalar = (value) => b.tensor(tensorFromNumbers(settings.float, [], [value]))
  const integers = (...values) => b.tensor(int64s(values))
  const at = (value, axis) =>
    b.node('Gather', [b.node('Shape', [value]), b.tensor(tensorFromNumbers('int64', [], [axis]))], {
      axis: 0,
    })
  // Keys 0 to total - 1 that are not after the query and not padding: [batch, 1, sequence, total].
  const zero = b.tensor(tensorFromNumbers('int64', [], [0]))
  const one = b.tensor(tensorFromNumbers('int64', [], [1]))
  const keys = b.node('Range', [zero, at(mask, 1), one])
  const before = b.node('LessOrEqual', [keys, b.node('Unsqueeze', [positions, integers(1, 3)])])
  const real = b.node('Cast', [b.node('Unsqueeze', [mask, integers(1, 2)])], { to: BOOL })
  const lowest = settings.float === 'float16' ? -65504 : -3.4028234663852886e38
  const bias = b.node('Where', [b.node('And', [before, real]), scalar(0), scalar(lowest)])
  // [batch, 1, sequence, size]
  const angles = (table) => {
    const rows = b.node('Gather', [table, positions])
    return b.node('Unsqueeze', [b.node('Concat', [rows, rows], { axis: -1 }), integers(1)])
  }
  const [cosines, sines] = [angles(cos), angles(sin)]
  const heads = (value, count) =>
    b.node('Transpose', [b.node('Reshape', [value, integers(0, -1, count, size)])], { perm: [0, 2, 1, 3] })
  const part = (value, from, to) => b.node('Slice', [value, integers(from), integers(to), integers(-1)])
  const turned = (value) => {
    const other = b.node('Concat', [b.node('Neg', [part(value, size / 2, size)]), part(value, 0, size / 2)], {
      axis: -1,
    })
    return b.node('Add', [b.node('Mul', [value, cosines]), b.node('Mul', [other, sines])])
  }
  /** [batch, keyHeads, total, size] -> [batch, heads, total, size]. */
  const repeated = (value) => {
    const wide = b.node('Unsqueeze', [value, integers(2)])
    const sizes = b.node(
      'Concat',
      [
        b.node('Unsqueeze', [at(value, 0), integers(0)]),
        integers(shape.keyHeads, repeats),
        b.node('Unsqueeze', [at(value, 2), integers(0)]),
        integers(size),
      ],
      { axis: 0 },
    )
    const spread = b.node('Expand', [wide, sizes])
    return b.node('Reshape', [spread, integers(0, shape.heads, -1, size)])
  }
  return (x, i) => {
    const [q, k, v] = projections(graph, x, i)
    const [pastKey, pastValue] = pastOf(i)
    const [presentKey, presentValue] = presentOf(i)
    const query = turned(heads(q, shape.heads))
    b.node('Concat', [pastKey, turned(heads(k, shape.keyHeads))], { axis: -2 }, { outputs: [presentKey] })
    b.node('Concat', [pastValue, heads(v, shape.keyHeads)], { axis: -2 }, { outputs: [presentValue] })
    const turnedKeys = b.node('Transpose', [repeated(presentKey)], { perm: [0, 1, 3, 2] })
    const product = b.node('MatMul', [query, turnedKeys])
    const scores = b.node('Add', [b.node('Div', [product, scalar(Math.sqrt(size))]), bias])
    const mixed = b.node('MatMul', [b.node('Softmax', [scores], { axis: -1 }), repeated(presentValue)])
    return b.node('Reshape', [
      b.node('Transpose', [mixed], { perm: [0, 2, 1, 3] }),
      integers(0, -1, shape.width),
    ])
  }
}
