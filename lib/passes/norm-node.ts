/** The node that computes a normalization, whatever its axes and the shapes of its affine part. */
import type { Attribute, Node } from '../graph/graph.js'
import { elementCount } from '../graph/tensor.js'
import type { Look } from './moments.js'
import { range, sizeOf } from './moments.js'
import { alongAxis, constantOf, expandedAlong, mapSpread, type Spread, spreadOf } from './spread.js'

/** (x - mean) / sqrt(factor * mean((x - mean) ^ 2) + epsilon) * scale + bias, or the same without the mean. */
export interface Norm {
  /** What it replaces: the last makes the output, the others have no other reader than the next. */
  readonly nodes: readonly Node[]
  readonly x: string
  /** Sorted, from 0. */
  readonly axes: readonly number[]
  readonly factor: number
  readonly epsilon: number
  /** Constants that broadcast to x. */
  readonly scale: string | undefined
  readonly bias: string | undefined
  readonly rms: boolean
}

/** More elements of ones than that are no scale to write into a file. */
const MAX_ONES = 2 ** 14

/** Writes the node in place of those that spell it out; false where no node takes these axes or constants. */
export function emitNorm(look: Look, norm: Norm): boolean {
  const shape = look.types.get(norm.x)?.shape
  if (shape === undefined || look.types.get(norm.x)?.dtype !== 'float32') return false
  const constant = (name: string | undefined) =>
    name === undefined ? undefined : spreadOf(look.editor.constant(name), shape)
  const [scale, bias] = [constant(norm.scale), constant(norm.bias)]
  if ((norm.scale !== undefined && !scale) || (norm.bias !== undefined && !bias)) return false
  const parts = { look, norm, rank: shape.length, scale, bias }
  return overTrailing(parts) || perInstance(parts)
}

interface Parts {
  readonly look: Look
  readonly norm: Norm
  readonly rank: number
  readonly scale: Spread | undefined
  readonly bias: Spread | undefined
}

/** LayerNormalization or RMSNormalization, where all sizes of the axes are known, or none matters. */
function overTrailing({ look, norm, rank, scale, bias }: Parts): boolean {
  const { axes, rms, factor } = norm
  const varies = (spread?: Spread) => spread?.dims.some((d, i) => d !== 1 && !axes.includes(i)) ?? false
  if (varies(scale) || varies(bias) || (rms && bias)) return false
  const count = sizeOf(look, norm.x, axes)
  const plain = !scale && !bias
  const single = rms && (!scale || scale.values.length === 1)
  // Over several axes, ones per channel are the smaller constant.
  if (
    count === undefined
      ? !single
      : plain && !rms && axes.length > 1 && rank - axes.length === 2 && canBePerInstance(look, norm, rank)
  )
    return false
  if (plain && !single && (count ?? 0) > MAX_ONES) return false
  const sizes = axes.map((axis) => look.types.get(norm.x)?.shape?.[axis] as number)
  const by = Math.fround(1 / Math.sqrt(factor))
  const full = (spread: Spread | undefined, fallback: number): Spread | undefined =>
    spread
      ? expandedAlong(spread, axes, sizes)
      : { dims: sizes, values: new Float32Array(elementCount(sizes)).fill(fallback) }
  const scales = single ? { dims: [1], values: Float32Array.of(scale?.values[0] ?? 1) } : full(scale, 1)
  const biases = bias ? full(bias, 0) : undefined
  if (!scales || (bias && !biases)) return false
  const named = (name: string | undefined, spread: Spread, part: string) =>
    keepsName(look, name, spread, part === 'scale' ? by : 1) ??
    look.editor.addConstant(
      `${nameOf(norm)}:${part}`,
      constantOf(part === 'scale' ? mapSpread(spread, (v) => v * by) : spread),
    )
  const inputs = [named(norm.scale, scales, 'scale'), ...(biases ? [named(norm.bias, biases, 'bias')] : [])]
  const attributes = { axis: { kind: 'int', value: -axes.length }, ...epsilonOf(norm) } as const
  write(
    look,
    norm,
    [...others(axes, rank), ...axes],
    rms ? 'RMSNormalization' : 'LayerNormalization',
    inputs,
    attributes,
  )
  return true
}

/** InstanceNormalization over [N, C, ...]: all axes but two, one of which is the channel. */
function perInstance({ look, norm, rank, scale, bias }: Parts): boolean {
  const channel = canBePerInstance(look, norm, rank, [scale, bias])
  if (channel === undefined || norm.rms) return false
  const size = look.types.get(norm.x)?.shape?.[channel] as number
  const by = Math.fround(1 / Math.sqrt(norm.factor))
  const vector = (spread: Spread | undefined, fallback: number, times: number) => {
    const values = spread ? alongAxis(spread, channel, size) : new Float32Array(size).fill(fallback)
    return values && { dims: [size], values: values.map((v) => v * times) }
  }
  const [scales, biases] = [vector(scale, 1, by), vector(bias, 0, 1)]
  if (!scales || !biases) return false
  const named = (name: string | undefined, spread: Spread, part: string) =>
    keepsName(look, name, spread, part === 'scale' ? by : 1) ??
    look.editor.addConstant(`${nameOf(norm)}:${part}`, constantOf(spread))
  const batch = others([...norm.axes, channel], rank)
  const inputs = [named(norm.scale, scales, 'scale'), named(norm.bias, biases, 'bias')]
  write(look, norm, [...batch, channel, ...norm.axes], 'InstanceNormalization', inputs, epsilonOf(norm))
  return true
}

/** The axis that can be the channel. */
function canBePerInstance(
  look: Look,
  norm: Norm,
  rank: number,
  constants: readonly (Spread | undefined)[] = [],
): number | undefined {
  const free = others(norm.axes, rank)
  if (free.length !== 2) return undefined
  const fits = (axis: number) =>
    typeof look.types.get(norm.x)?.shape?.[axis] === 'number' &&
    constants.every((c) => c?.dims.every((d, i) => d === 1 || i === axis) ?? true)
  return [...free].reverse().find(fits)
}

function others(axes: readonly number[], rank: number): number[] {
  return range(0, rank).filter((axis) => !axes.includes(axis))
}

function nameOf(norm: Norm): string {
  return (norm.nodes.at(-1) as Node).name
}

/** A vector that is already what the node reads keeps its name. */
function keepsName(
  { editor }: Look,
  name: string | undefined,
  { dims }: Spread,
  by: number,
): string | undefined {
  if (name === undefined || by !== 1) return undefined
  return String(editor.constant(name)?.dims) === String(dims) ? name : undefined
}

function epsilonOf({ epsilon, factor }: Norm): { epsilon: Attribute } {
  return { epsilon: { kind: 'float', value: factor === 1 ? epsilon : Math.fround(epsilon / factor) } }
}

/** The node, between Transposes where its axes are not where it wants them. */
function write(
  { editor }: Look,
  norm: Norm,
  perm: readonly number[],
  opType: string,
  inputs: readonly string[],
  attributes: Node['attributes'],
): void {
  const last = norm.nodes.at(-1) as Node
  const output = last.outputs[0] as string
  const origin = norm.nodes.flatMap((node) => node.origin ?? [node.name])
  const moves = perm.some((axis, i) => axis !== i)
  const [from, to] = moves
    ? [editor.freshValue(`${last.name}:moved`), editor.freshValue(`${last.name}:normalized`)]
    : [norm.x, output]
  const transpose = (part: string, x: string, y: string, by: readonly number[]): Node => ({
    ...{
      name: editor.freshNode(`${last.name}:${part}`),
      opType: 'Transpose',
      domain: '',
      inputs: [x],
      outputs: [y],
    },
    attributes: { perm: { kind: 'ints', value: by } },
  })
  for (const node of norm.nodes) if (node !== last) editor.remove(node)
  const node: Node = {
    name: last.name,
    opType,
    domain: '',
    inputs: [from, ...inputs],
    outputs: [to],
    attributes,
    ...(origin.length > 1 ? { origin } : {}),
  }
  editor.update(node)
  if (!moves) return
  editor.add(transpose('before', norm.x, from, perm))
  editor.add(
    transpose(
      'after',
      to,
      output,
      perm.map((_, i) => perm.indexOf(i)),
    ),
  )
}
