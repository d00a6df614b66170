/**
 * Weight-only weights as onnxruntime's operators hold them. MatMulNBits: unsigned levels [N, blocks, bytes of a block], element i in
 * the low bits of its byte first, scales [N, blocks], zero points packed alike in whole bytes a row. GatherBlockQuantized: the
 * table as it is, with blocks along its last axis.
 */
import type { Pace } from '../../event-loop.js'
import {
  encodeLevel,
  FORMATS,
  type Format,
  type Granularity,
  middleOf,
  type QuantizedDType,
} from '../../graph/format.js'
import { tensorOf } from '../../graph/tensor.js'
import type { WeightBlocks } from '../scales/weight-blocks.js'
import { levelsTensor } from '../write/tensors.js'
import type { PackedWeights } from './packed-weights.js'

/** Elements between two looks at the event loop. */
const SLICE = 2 ** 20

/** Weights of a matrix by output channel n and place k in its sum: where an element and its scale are. */
interface MatrixView {
  readonly n: number
  readonly k: number
  at(n: number, k: number): number
  scaleAt(n: number, k: number): number
}

function matrixView(
  [rows = 0, columns = 0]: readonly number[],
  summed: number,
  granularity: Granularity,
): MatrixView {
  const [n, k] = summed === 0 ? [columns, rows] : [rows, columns]
  const at = (i: number, j: number) => (summed === 0 ? j * columns + i : i * columns + j)
  if (granularity.kind !== 'block') {
    const single = granularity.kind !== 'channel'
    return { n, k, at, scaleAt: (i) => (single ? 0 : i) }
  }
  const { size } = granularity
  const blocks = Math.ceil(k / size)
  const scaleAt = (i: number, j: number) => {
    const block = Math.floor(j / size)
    return summed === 0 ? block * n + i : i * blocks + block
  }
  return { n, k, at, scaleAt }
}

export interface NBitsOptions {
  readonly dims: readonly number[]
  /** The axis that the product adds up. */
  readonly summed: number
  readonly format: Format
  readonly granularity: Granularity
  readonly block: number
  /** What the real weights are multiplied by. */
  readonly alpha: number
  readonly pace: Pace
}

/** For MatMulNBits. */
export async function nbitsMatrix(made: WeightBlocks, options: NBitsOptions): Promise<PackedWeights> {
  const { dims, summed, format, granularity, block, alpha, pace } = options
  const { n, k, at, scaleAt } = matrixView(dims, summed, granularity)
  const { bits } = format
  const blocks = Math.ceil(k / block)
  const [perByte, bytes] = [8 / bits, (block * bits) / 8]
  const [mask, offset] = [2 ** bits - 1, unsignedOffset(format)]
  const zeroRow = Math.ceil((blocks * bits) / 8)
  const levels = new Uint8Array(n * blocks * bytes)
  const scales = new Float32Array(n * blocks)
  const zeros = new Uint8Array(n * zeroRow)
  let done = 0
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < k; j++) {
      const byte = i * blocks * bytes + Math.floor(j / perByte)
      const level = ((made.levels[at(i, j)] as number) + offset) & mask
      levels[byte] = (levels[byte] as number) | (level << ((j % perByte) * bits))
    }
    for (let b = 0; b < blocks; b++) {
      const place = scaleAt(i, b * block)
      scales[i * blocks + b] = alpha * (made.scales[place] as number)
      const byte = i * zeroRow + Math.floor(b / perByte)
      const zero = ((made.zeroPoints[place] as number) + offset) & mask
      zeros[byte] = (zeros[byte] as number) | (zero << ((b % perByte) * bits))
    }
    done += k
    if (done < SLICE) continue
    done = 0
    await pace.breathe()
  }
  return {
    levels: tensorOf('uint8', [n, blocks, bytes], levels),
    scales: tensorOf('float32', [n, blocks], scales),
    zeroPoints: isMiddle(made, format) ? undefined : tensorOf('uint8', [n, zeroRow], zeros),
  }
}

/** For GatherBlockQuantized, which has no int8. */
export function nbitsTable(
  made: WeightBlocks,
  { dims, format, granularity, block }: Pick<NBitsOptions, 'dims' | 'format' | 'granularity' | 'block'>,
): PackedWeights {
  const { n, k, scaleAt } = matrixView(dims, 1, granularity)
  const blocks = Math.ceil(k / block)
  const places = Array.from({ length: n * blocks }, (_, i) =>
    scaleAt(Math.floor(i / blocks), (i % blocks) * block),
  )
  const stored = format.bits === 8 ? FORMATS.uint8 : format
  const offset = stored.signed === format.signed ? 0 : unsignedOffset(format)
  const shifted = (levels: Uint8Array) => (offset === 0 ? levels : levels.map((q) => q + offset))
  const zeros = Uint8Array.from(places, (place) => made.zeroPoints[place] as number)
  const implied = stored.bits === 8 ? isMiddle(made, format) : stored.signed && isMiddle(made, format)
  return {
    levels: levelsTensor(stored, dims, shifted(made.levels)),
    scales: tensorOf(
      'float32',
      [n, blocks],
      Float32Array.from(places, (place) => made.scales[place] as number),
    ),
    zeroPoints: implied ? undefined : levelsTensor(stored, [n, blocks], shifted(zeros)),
  }
}

/** From a level to that of the unsigned type of as many bits. */
function unsignedOffset({ bits, signed }: Format): number {
  return signed ? 2 ** (bits - 1) : 0
}

/** Whether all zero points are in the middle of the type, as operators take them where there are none. */
function isMiddle({ zeroPoints }: WeightBlocks, format: Format): boolean {
  const middle = encodeLevel(middleOf(FORMATS[format.storage as QuantizedDType]), FORMATS.uint8)
  return zeroPoints.every((z) => z === middle)
}
