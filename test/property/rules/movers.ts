/** What moves, joins, selects and pools. */
import type { Rule, Value } from '../growth.js'

const product = (dims: readonly number[]) => dims.reduce((n, d) => n * d, 1)

const transpose: Rule = (g) => {
  const x = g.ofRank(3, 4)
  if (!x) return
  const perm = g.random.pick(
    x.dims.length === 3
      ? [[0, 2, 1]]
      : [
          [0, 2, 3, 1],
          [0, 3, 1, 2],
          [0, 1, 3, 2],
        ],
  )
  return g.node(
    'Transpose',
    [x],
    perm.map((axis) => x.dims[axis] as number),
    x.size,
    { perm },
  )
}

const reshape: Rule = (g) => {
  const x = g.pick((v) => v.dims.length >= 3)
  if (!x) return
  const [batch, channels, ...rest] = x.dims as [number, number, ...number[]]
  if (g.random.chance(0.4) && x.dims.length === 4) {
    return g.node('Reshape', [x, g.int64([batch, channels, -1])], [batch, channels, product(rest)], x.size)
  }
  if (product(x.dims) > 512) return
  const dims = [batch, channels * product(rest)]
  if (g.random.chance(0.5)) return g.node('Flatten', [x], dims, x.size)
  return g.node('Reshape', [x, g.int64([0, -1])], dims, x.size)
}

const unsqueeze: Rule = (g) => {
  const x = g.ofRank(2, 3)
  if (!x) return
  const y = g.node('Unsqueeze', [x, g.int64([1])], [x.dims[0] as number, 1, ...x.dims.slice(1)], x.size)
  if (g.random.chance(0.5)) return y
  return g.node('Squeeze', [y, g.int64([1])], x.dims, x.size)
}

/** An axis other than the batch, of at least `least`. */
function axisOf(g: Parameters<Rule>[0], x: Value, least: number): number | undefined {
  const axes = x.dims.flatMap((d, i) => (i > 0 && d >= least ? [i] : []))
  return axes.length === 0 ? undefined : g.random.pick(axes)
}

const withSize = (x: Value, axis: number, size: number) => x.dims.map((d, i) => (i === axis ? size : d))

const slice: Rule = (g) => {
  const x = g.pick()
  const axis = x && axisOf(g, x, 3)
  if (!x || axis === undefined) return
  const size = x.dims[axis] as number
  const start = g.random.integer(0, 1)
  const end = g.random.integer(start + 1, size)
  return g.node(
    'Slice',
    [x, g.int64([start]), g.int64([end]), g.int64([axis])],
    withSize(x, axis, end - start),
    x.size,
  )
}

const gather: Rule = (g) => {
  const x = g.pick()
  const axis = x && axisOf(g, x, 2)
  if (!x || axis === undefined) return
  const indices = Array.from({ length: g.random.integer(1, 5) }, () =>
    g.random.integer(0, (x.dims[axis] as number) - 1),
  )
  return g.node('Gather', [x, g.int64(indices)], withSize(x, axis, indices.length), x.size, { axis })
}

/** One index per row of the sizes before the axis. */
const gatherElements: Rule = (g) => {
  const x = g.ofRank(2, 3)
  if (!x) return
  const axis = x.dims.length - 1
  const dims = withSize(x, axis, 2)
  const indices = Array.from({ length: product(dims) }, () =>
    g.random.integer(0, (x.dims[axis] as number) - 1),
  )
  return g.node('GatherElements', [x, g.int64(indices, dims)], dims, x.size, { axis })
}

const gatherNd: Rule = (g) => {
  const x = g.ofRank(3)
  if (!x) return
  const rows = Array.from({ length: 3 }, () => g.random.integer(0, (x.dims[1] as number) - 1))
  const indices = rows.flatMap((row) => [0, row])
  return g.node('GatherND', [x, g.int64(indices, [1, 3, 2])], [1, 3, x.dims[2] as number], x.size)
}

const split: Rule = (g) => {
  const x = g.pick()
  const axis = x && axisOf(g, x, 2)
  if (!x || axis === undefined) return
  const size = x.dims[axis] as number
  const first = g.random.integer(1, size - 1)
  const parts = [first, size - first]
  return g.split(
    'Split',
    [x, g.int64(parts)],
    parts.map((n) => withSize(x, axis, n)),
    x.size,
    { axis },
  )
}

/** Parts that agree but for one axis. */
const concat: Rule = (g) => {
  const a = g.pick((v) => v.dims.length > 1)
  if (!a) return
  const axis = g.random.integer(1, a.dims.length - 1)
  const fits = (v: Value) =>
    v !== a && v.dims.length === a.dims.length && v.dims.every((d, i) => i === axis || d === a.dims[i])
  const b = g.pick(fits)
  if (!b) return
  const total = (a.dims[axis] as number) + (b.dims[axis] as number)
  return g.node('Concat', [a, b], withSize(a, axis, total), Math.max(a.size, b.size), { axis })
}

/** Two branches of very different size joined, moved, and taken apart again. */
const joinApart: Rule = (g) => {
  const x = g.ofRank(3)
  if (!x) return
  const [batch, rows, columns] = x.dims as [number, number, number]
  const other = g.node(
    'Mul',
    [g.node('Sigmoid', [g.brought(x, 2)], x.dims, 0.5), g.scalar(g.scale())],
    x.dims,
    0.5,
  )
  const joined = g.node('Concat', [x, other], [batch, 2 * rows, columns], x.size, { axis: 1 })
  const moved = g.node('Transpose', [joined], [batch, columns, 2 * rows], x.size, { perm: [0, 2, 1] })
  return g.split(
    'Split',
    [moved, g.int64([rows, rows])],
    [
      [batch, columns, rows],
      [batch, columns, rows],
    ],
    x.size,
    { axis: 2 },
  )
}

const pad: Rule = (g) => {
  const x = g.ofRank(4)
  if (!x) return
  const [batch, channels, height, width] = x.dims as [number, number, number, number]
  const inputs = [x, g.int64([0, 0, 1, 0, 0, 0, 0, 1]), ...(g.random.chance(0.3) ? [g.scalar(x.size)] : [])]
  const mode = height > 1 && width > 1 ? g.random.pick(['constant', 'edge', 'reflect']) : 'constant'
  return g.node(
    'Pad',
    inputs.slice(0, mode === 'constant' ? 3 : 2),
    [batch, channels, height + 1, width + 1],
    x.size,
    { mode },
  )
}

const resize: Rule = (g) => {
  const x = g.ofRank(4)
  if (!x) return
  const [batch, channels, height, width] = x.dims as [number, number, number, number]
  const mode = g.random.pick(['nearest', 'linear'])
  const scales = g.constant([4], (i) => (i < 2 ? 1 : 2))
  return g.node('Resize', [x, '', scales], [batch, channels, height * 2, width * 2], x.size, { mode })
}

const blocks: Rule = (g) => {
  const x = g.ofRank(4)
  if (!x) return
  const [batch, channels, height, width] = x.dims as [number, number, number, number]
  if (channels % 4 === 0) {
    return g.node('DepthToSpace', [x], [batch, channels / 4, height * 2, width * 2], x.size, { blocksize: 2 })
  }
  if (height % 2 === 0 && width % 2 === 0) {
    return g.node('SpaceToDepth', [x], [batch, channels * 4, height / 2, width / 2], x.size, { blocksize: 2 })
  }
}

const tile: Rule = (g) => {
  const x = g.pick((v) => product(v.dims) <= 256)
  const axis = x && axisOf(g, x, 1)
  if (!x || axis === undefined) return
  const repeats = x.dims.map((_, i) => (i === axis ? 2 : 1))
  return g.node('Tile', [x, g.int64(repeats)], withSize(x, axis, 2 * (x.dims[axis] as number)), x.size)
}

const expand: Rule = (g) => {
  const x = g.pick((v) => v.dims.length > 1 && v.dims.slice(1).includes(1) && product(v.dims) <= 256)
  if (!x) return
  const dims = x.dims.map((d, i) => (i > 0 && d === 1 ? 3 : d))
  return g.node('Expand', [x, g.int64(dims)], dims, x.size)
}

const crop: Rule = (g) => {
  const x = g.ofRank(4)
  if (!x) return
  const [batch, channels, height, width] = x.dims as [number, number, number, number]
  if (height < 3) return
  return g.node('CenterCropPad', [x, g.int64([height - 2])], [batch, channels, height - 2, width], x.size, {
    axes: [2],
  })
}

const pool: Rule = (g) => {
  const x = g.pick((v) => v.dims.length === 4 && (v.dims[2] as number) > 1 && (v.dims[3] as number) > 1)
  if (!x) return
  const [batch, channels, height, width] = x.dims as [number, number, number, number]
  const op = g.random.pick(['MaxPool', 'AveragePool', 'GlobalAveragePool', 'GlobalMaxPool'])
  if (op.startsWith('Global')) return g.node(op, [x], [batch, channels, 1, 1], x.size)
  const stride = g.random.pick([1, 2])
  const sizes = [height, width].map((n) => Math.floor((n - 2) / stride) + 1)
  return g.node(op, [x], [batch, channels, ...sizes], x.size, {
    kernel_shape: [2, 2],
    strides: [stride, stride],
  })
}

const reduce: Rule = (g) => {
  const x = g.pick((v) => v.dims.length > 2)
  const axis = x && axisOf(g, x, 2)
  if (!x || axis === undefined) return
  const op = g.random.pick(['ReduceMean', 'ReduceMean', 'ReduceSum', 'ReduceMax', 'ReduceMin'])
  const keepdims = g.random.integer(0, 1)
  const dims = keepdims ? withSize(x, axis, 1) : x.dims.filter((_, i) => i !== axis)
  return g.node(op, [x, g.int64([axis])], dims, x.size, { keepdims })
}

const identity: Rule = (g) => {
  const x = g.pick()
  return x && g.node(g.random.pick(['Identity', 'Dropout']), [x], x.dims, x.size)
}

export const movers: readonly Rule[] = [
  transpose,
  reshape,
  reshape,
  unsqueeze,
  slice,
  gather,
  gatherElements,
  gatherNd,
  split,
  concat,
  concat,
  joinApart,
  pad,
  resize,
  blocks,
  tile,
  expand,
  crop,
  pool,
  pool,
  reduce,
  reduce,
  identity,
]
