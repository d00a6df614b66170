/** Zero points of rows where a file takes them from the sums by itself: QMatMul(q, w) - Cast(zero) * (column sums of w). */
import { FORMATS } from '../../graph/format.js'
import { intOf, intsOf } from '../../plan/attributes.js'
import { addAlias, constantBytes, type Draft } from '../../plan/draft.js'
import { operand, quantizedOperand, withQuantized } from '../../plan/operands.js'
import type { PlanStep, PlanTensor } from '../../plan/plan.js'
import type { Rewriting } from '../../plan/rewrite.js'
import { eitherOrder, operandsOf } from './spelled.js'

export interface RowZeros {
  /** The levels. */
  readonly q: number
  /** The zero points as the file computes them, float32, and as levels. */
  readonly zero: number
  readonly zeroPoint: number
}

/** Products of the levels take the zero points; what reads them as levels reads the new ones. */
export function takeZeroPoints(draft: Draft, rewriting: Rewriting, zeros: RowZeros): void {
  const { index } = rewriting
  const { dtype } = draft.tensors[zeros.q] as PlanTensor
  for (const cast of index.readers(index.root(zeros.zero))) {
    if (cast.op !== 'Cast') continue
    const t = cast.outputs[0] as number
    const made = draft.tensors[t] as PlanTensor
    if (made.dtype === dtype && made.kind === 'scratch' && !index.isPinned(t)) {
      draft.tensors[t] = { ...made, kind: 'alias', of: zeros.zeroPoint }
      rewriting.remove(cast)
    } else if (made.dtype === 'int32') {
      for (const term of index.readers(t)) takeTerm(draft, rewriting, zeros, t, term)
    }
  }
}

/** `term`: Cast(zero) * column sums. */
function takeTerm(draft: Draft, rewriting: Rewriting, zeros: RowZeros, cast: number, term: PlanStep): void {
  const { index } = rewriting
  const made = term.outputs[0] as number
  const difference = index.soleReader(made)
  if (!difference || rewriting.isGone(difference)) return
  const [sums, taken] = operandsOf(index, difference.outputs[0] as number, 'sub') ?? []
  if (sums === undefined || taken !== made) return
  const product = index.producer(sums)
  if (product?.op !== 'QMatMul' || index.soleReader(sums) !== difference) return
  const a = quantizedOperand(product, 'a')
  if (a.tensor !== zeros.q || (a.zeroPoint ?? -1) >= 0 || operand(product, 'bias') >= 0) return
  const { dims } = draft.tensors[zeros.q] as PlanTensor
  const fits = eitherOrder(operandsOf(index, made, 'mul')).some(
    ([zero, columns]) => index.root(zero) === cast && areColumnSums(draft, product, columns),
  )
  if (!fits) return
  const zeroPoint = addAlias(draft, zeros.zeroPoint, [...dims.slice(0, -1), 1])
  const nodes = [product, term, difference].flatMap((step) => step.nodes)
  rewriting.remove(product)
  rewriting.remove(term)
  rewriting.replace(difference, [
    { ...withQuantized(product, 'a', { ...a, zeroPoint }), outputs: difference.outputs, nodes },
  ])
}

/** Whether the int32 constant t is the sum of w less its zero point, for each column of one constant matrix. */
function areColumnSums(draft: Draft, product: PlanStep, t: number): boolean {
  const b = quantizedOperand(product, 'b')
  const { dims, dtype } = draft.tensors[b.tensor] as PlanTensor
  const [rows, columns] = intOf(product, 'trans_b', 0) ? [dims[1], dims[0]] : dims
  if (dims.length !== 2 || typeof rows !== 'number' || typeof columns !== 'number') return false
  if (intsOf(product, 'perm_b').length > 0 || (dtype !== 'int8' && dtype !== 'uint8')) return false
  const [bytes, stated] = [constantBytes(draft, b.tensor), constantBytes(draft, t)]
  const zeros = (b.zeroPoint ?? -1) < 0 ? new Uint8Array(1) : constantBytes(draft, b.zeroPoint as number)
  if (!bytes || !zeros || !stated || stated.length !== 4 * columns) return false
  const isSigned = FORMATS[dtype].qmin < 0
  const level = (byte = 0) => (isSigned ? (byte << 24) >> 24 : byte)
  const sums = new Int32Array(columns)
  const transposed = intOf(product, 'trans_b', 0) !== 0
  for (let i = 0, column = 0; i < bytes.length; i++) {
    if (transposed) column = Math.floor(i / rows)
    else if (column === columns) column = 0
    sums[column] = (sums[column] as number) + level(bytes[i])
    if (!transposed) column++
  }
  const view = new DataView(stated.buffer, stated.byteOffset, stated.byteLength)
  return sums.every((sum, n) => {
    const zero = level(zeros[zeros.length === 1 ? 0 : n])
    return view.getInt32(4 * n, true) === ((sum - rows * zero) | 0)
  })
}
