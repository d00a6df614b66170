/**
 * Activations that are quantized while running, in standard operators, which every runtime computes alike:
 *
 *     tensor   DynamicQuantizeLinear
 *     row      lo = Min(ReduceMin(x), 0), hi = Max(ReduceMax(x), 0), s = Max((hi - lo) / 255, least), z = Round(-lo / s),
 *              q = Cast(Clip(Round(x / s) + z, 0, 255), uint8)
 *     row, symmetric   s = Max(ReduceMax(Abs(x)) / 127, least), q = Cast(Round(x / s), int8)
 *
 * A row is the last axis. `least` is the smallest normal number: the scale of a row of zeros.
 */
import { scalar, tensorOf } from '../../graph/tensor.js'
import type { ConstantPool } from './constant-pool.js'
import type { QdqNodes } from './nodes.js'

export interface RunningScales {
  readonly per: 'tensor' | 'row'
  /** Of rows: no zero points. Those of a tensor always have one. */
  readonly symmetric: boolean
}

/** Values of the file. */
export interface RunningLevels {
  readonly per: 'tensor' | 'row'
  /** As the activations; uint8, or int8 where symmetric. */
  readonly levels: string
  /** float32: one number, or [..., 1]. */
  readonly scale: string
  /** Of a tensor: uint8, one; of rows: float32 [..., 1]; absent: 0. */
  readonly zeroPoint?: string
}

const SMALLEST_NORMAL = 2 ** -126
const UINT8 = 2
const INT8 = 3

export function quantizeRunning(
  nodes: QdqNodes,
  pool: ConstantPool,
  real: string,
  { per, symmetric }: RunningScales,
): RunningLevels {
  if (per === 'tensor') return quantizeTensor(nodes, real)
  const rows = new Rows(nodes, pool, real)
  return symmetric ? rows.symmetric() : rows.affine()
}

function quantizeTensor(nodes: QdqNodes, real: string): RunningLevels {
  const [levels, scale, zeroPoint] = [nodes.fresh('q'), nodes.fresh('s'), nodes.fresh('z')]
  nodes.push({
    name: levels,
    opType: 'DynamicQuantizeLinear',
    domain: '',
    inputs: [real],
    outputs: [levels, scale, zeroPoint],
    attributes: {},
  })
  return { per: 'tensor', levels, scale, zeroPoint }
}

class Rows {
  constructor(
    private readonly nodes: QdqNodes,
    private readonly pool: ConstantPool,
    private readonly x: string,
  ) {}

  affine(): RunningLevels {
    const low = this.node('Min', [this.reduced('ReduceMin', this.x), this.number(0)])
    const high = this.node('Max', [this.reduced('ReduceMax', this.x), this.number(0)])
    const scale = this.scale(this.node('Sub', [high, low]), 255)
    const zeroPoint = this.node('Round', [this.node('Div', [this.node('Neg', [low]), scale])])
    const moved = this.node('Add', [this.rounded(scale), zeroPoint])
    const clipped = this.node('Clip', [moved, this.number(0), this.number(255)])
    return { per: 'row', levels: this.cast(clipped, UINT8), scale, zeroPoint }
  }

  symmetric(): RunningLevels {
    const scale = this.scale(this.reduced('ReduceMax', this.node('Abs', [this.x])), 127)
    return { per: 'row', levels: this.cast(this.rounded(scale), INT8), scale }
  }

  private reduced(opType: 'ReduceMax' | 'ReduceMin', x: string): string {
    const axes = this.pool.share('k', tensorOf('int64', [1], BigInt64Array.of(-1n)))
    const reduced = this.nodes.fresh('r')
    this.nodes.add(reduced, opType, [x, axes], reduced, { keepdims: { kind: 'int', value: 1 } })
    return reduced
  }

  private scale(width: string, levels: number): string {
    return this.node('Max', [this.node('Div', [width, this.number(levels)]), this.number(SMALLEST_NORMAL)])
  }

  private rounded(scale: string): string {
    return this.node('Round', [this.node('Div', [this.x, scale])])
  }

  private cast(real: string, to: number): string {
    const levels = this.nodes.fresh('q')
    this.nodes.add(levels, 'Cast', [real], levels, { to: { kind: 'int', value: to } })
    return levels
  }

  private node(opType: string, inputs: readonly string[]): string {
    const made = this.nodes.fresh('v')
    this.nodes.add(made, opType, inputs, made)
    return made
  }

  private number(x: number): string {
    return this.pool.share('k', scalar('float32', x))
  }
}
