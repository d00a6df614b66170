/** Operators that ONNX defines by others, as these: windows of signal processing, AffineGrid, CausalConvWithState, TensorScatter. */
import { type Attribute, intAttribute, type Node, stringAttribute } from '../../graph/graph.js'
import { int64s, scalar } from '../../graph/tensor.js'
import type { Upgrade, UpgradeContext } from './context.js'

const int = (value: number): Attribute => ({ kind: 'int', value })
const FLOAT = { to: int(1) }

/** Nodes in the order of their making; each method returns the name of a new value. */
class Steps {
  readonly nodes: Node[] = []

  constructor(private readonly context: UpgradeContext) {}

  make(opType: string, inputs: readonly string[], attributes: Node['attributes'] = {}): string {
    const name = this.context.fresh(opType.toLowerCase())
    this.into(name, opType, inputs, attributes)
    return name
  }

  into(output: string, opType: string, inputs: readonly string[], attributes: Node['attributes'] = {}): void {
    this.nodes.push(this.context.node(opType, inputs, [output], attributes))
  }

  number(value: number): string {
    return this.context.constant('number', scalar('float32', value))
  }

  integer(value: number): string {
    return this.context.constant('integer', scalar('int64', value))
  }

  integers(...values: number[]): string {
    return this.context.constant('integers', int64s(values))
  }

  /** 0, 1, ..., n - 1 as float32, n an int64 scalar. */
  countTo(n: string): string {
    return this.make('Cast', [this.make('Range', [this.integer(0), n, this.integer(1)])], FLOAT)
  }
}

/** a0 - a1 cos(2 pi n / N) + a2 cos(4 pi n / N), N the size, or one less for a symmetric window. */
function window(a0: number, a1: number, a2: number): Upgrade {
  return (node, context) => {
    const s = new Steps(context)
    const size = s.make('Cast', [node.inputs[0] ?? ''], { to: int(7) })
    const whole = s.make('Cast', [size], FLOAT)
    const periodic = intAttribute(node, 'periodic', 1) === 1
    const period = periodic ? whole : s.make('Sub', [whole, s.number(1)])
    const angle = s.make('Div', [s.make('Mul', [s.countTo(size), s.number(2 * Math.PI)]), period])
    const first = s.make('Mul', [s.make('Cos', [angle]), s.number(a1)])
    let sum = s.make('Sub', [s.number(a0), first])
    if (a2 !== 0) {
      const twice = s.make('Cos', [s.make('Mul', [angle, s.number(2)])])
      sum = s.make('Add', [sum, s.make('Mul', [twice, s.number(a2)])])
    }
    s.into(node.outputs[0] ?? '', 'Cast', [sum], { to: int(intAttribute(node, 'output_datatype', 1)) })
    return s.nodes
  }
}

export const hannWindow = window(0.5, 0.5, 0)
export const hammingWindow = window(25 / 46, 21 / 46, 0)
export const blackmanWindow = window(0.42, 0.5, 0.08)

/** The matrices of `theta` applied to a grid of [-1, 1] in every spatial axis of `size` ([N, C, H, W] or [N, C, D, H, W]). */
export const affineGrid: Upgrade = (node, context) => {
  const [theta = '', size = ''] = node.inputs
  const count = (context.constantOf(size)?.dims ?? context.typeOf(size)?.shape)?.[0]
  if (count !== 4 && count !== 5) return context.fail('expected 4 or 5 sizes (input 1)')
  const s = new Steps(context)
  const aligned = intAttribute(node, 'align_corners', 0) === 1
  const spatial = count - 2
  const axes = Array.from({ length: spatial }, (_, i) => i)
  const lengths = axes.map((i) => s.make('Gather', [size, s.integer(2 + i)]))
  const grid = s.make('Concat', [s.make('Slice', [size, s.integers(2), s.integers(count)]), s.integers(1)], {
    axis: int(0),
  })
  const columns = axes.map((i) => {
    const n = lengths[i] as string
    const shape = s.integers(...axes.map((a) => (a === i ? -1 : 1)), 1)
    return s.make('Expand', [s.make('Reshape', [coordinates(s, n, aligned), shape]), grid])
  })
  const ones = s.make('Expand', [s.number(1), grid])
  const points = s.make('Concat', [...columns.reverse(), ones], { axis: int(spatial) })
  const rows = s.make('Reshape', [points, s.integers(-1, spatial + 1)])
  const transposed = s.make('Transpose', [theta], { perm: { kind: 'ints', value: [0, 2, 1] } })
  const moved = s.make('MatMul', [s.make('CastLike', [rows, theta]), transposed])
  const batch = s.make('Slice', [size, s.integers(0), s.integers(1)])
  const room = s.make('Slice', [size, s.integers(2), s.integers(count)])
  const shape = s.make('Concat', [batch, room, s.integers(spatial)], { axis: int(0) })
  s.into(node.outputs[0] ?? '', 'Reshape', [moved, shape])
  return s.nodes
}

/** n positions in [-1, 1]: the corners themselves, or the middles of n cells. */
function coordinates(s: Steps, n: string, aligned: boolean): string {
  const length = s.make('Cast', [n], FLOAT)
  const doubled = s.make('Mul', [s.countTo(n), s.number(2)])
  const quotient = aligned
    ? s.make('Div', [doubled, s.make('Max', [s.make('Sub', [length, s.number(1)]), s.number(1)])])
    : s.make('Div', [s.make('Add', [doubled, s.number(1)]), length])
  return s.make('Sub', [quotient, s.number(1)])
}

/** A depthwise convolution over what came before and the input; the state is the end of both. */
export const causalConvolution: Upgrade = (node, context) => {
  const [x = '', weight = '', bias = '', past = ''] = node.inputs
  const shape = context.constantOf(weight)?.dims ?? context.typeOf(weight)?.shape
  const [channels, , kernel] = shape ?? []
  if (typeof channels !== 'number' || typeof kernel !== 'number')
    return context.fail('expected weights (input 1) whose sizes are known')
  const s = new Steps(context)
  const before = s.integers(0, 0, kernel - 1, 0, 0, 0)
  const all = past === '' ? s.make('Pad', [x, before]) : s.make('Concat', [past, x], { axis: int(2) })
  const inputs = bias === '' ? [all, weight] : [all, weight, bias]
  const [y = '', state = ''] = node.outputs
  const activation = stringAttribute(node, 'activation', 'none')
  if (activation === 'none') s.into(y, 'Conv', inputs, { group: int(channels) })
  else if (activation === 'silu' || activation === 'swish') {
    const sum = s.make('Conv', inputs, { group: int(channels) })
    s.into(y, 'Mul', [sum, s.make('Sigmoid', [sum])])
  } else context.fail(`expected the activation none, silu or swish, got "${activation}"`)
  if (state !== '') {
    const length = s.make('Shape', [all], { start: int(2), end: int(3) })
    const start = s.make('Sub', [length, s.integers(kernel - 1)])
    s.into(state, 'Slice', [all, start, length, s.integers(2)])
  }
  return s.nodes
}

/** An update written into a cache from an index of each batch element on, around its end where it is circular. */
export const tensorScatter: Upgrade = (node, context) => {
  const [cache = '', update = '', starts = ''] = node.inputs
  const rank =
    context.typeOf(cache)?.shape?.length ?? context.fail('expected a cache (input 0) whose rank is known')
  const given = intAttribute(node, 'axis', -2)
  const axis = given < 0 ? given + rank : given
  if (axis < 1 || axis >= rank) context.fail(`expected an axis in 1..${rank - 1}, got ${given}`)
  const s = new Steps(context)
  const only = (at: number) => s.integers(...Array.from({ length: rank }, (_, a) => (a === at ? -1 : 1)))
  const sizes = s.make('Shape', [update])
  const count = s.make('Range', [s.integer(0), s.make('Gather', [sizes, s.integer(axis)]), s.integer(1)])
  let positions = s.make('Reshape', [count, only(axis)])
  if (starts !== '') positions = s.make('Add', [positions, s.make('Reshape', [starts, only(0)])])
  if (stringAttribute(node, 'mode', 'linear') === 'circular') {
    positions = s.make('Mod', [positions, s.make('Gather', [s.make('Shape', [cache]), s.integer(axis)])])
  }
  const indices = s.make('Expand', [positions, sizes])
  s.into(node.outputs[0] ?? '', 'ScatterElements', [cache, indices, update], { axis: int(axis) })
  return s.nodes
}
