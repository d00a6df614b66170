/**
 * Weights of two levels in a file: a bit for each, and a function of the model, in standard operators, that makes floats of
 * them. A runtime that knows no better folds it when it loads the file; here its calls are read as integers.
 *
 *     y[r, ...] = bit of the element ? high[r] : low[r]
 *
 * `bits` is uint8 [rows, bytes]: a row's elements lie one after the other, from the lowest bit of a byte on, and begin with
 * a byte of their own. `sizes` is those of all rows, `[rows, ...]`; `low` and `high` are float32 and broadcast to that. The second
 * function gives out the transpose: its rows are the columns of y.
 */
import type { ConstantTensor } from '../graph/graph.js'
import { bytesOf, int64s, scalar, tensorOf } from '../graph/tensor.js'
import type { AttributeProto, FunctionProto, NodeProto } from './messages.js'

export const SIGN_DOMAIN = 'ai.octavo'
/** By whether the rows are columns of the result. */
export const SIGN_FUNCTIONS = { rows: 'DequantizeSigns', columns: 'DequantizeSignColumns' } as const
export type SignOrder = keyof typeof SIGN_FUNCTIONS

export const SIGN_INPUTS = ['bits', 'low', 'high', 'sizes'] as const
export const SIGN_OUTPUT = 'y'

/** A node of the function: one attribute at most. */
export interface SignNode {
  readonly opType: string
  readonly inputs: readonly string[]
  readonly output: string
  readonly attribute?: { readonly name: string; readonly value: number | string | ConstantTensor }
}

const constant = (output: string, value: ConstantTensor): SignNode => ({
  opType: 'Constant',
  inputs: [],
  output,
  attribute: { name: 'value', value },
})

const BOOL = 9

/** The nodes of a function, in their order. */
export function signBody(order: SignOrder): readonly SignNode[] {
  const chosen = order === 'rows' ? SIGN_OUTPUT : 'rows'
  const nodes: SignNode[] = [
    constant('shifts', tensorOf('uint8', [8], Uint8Array.of(0, 1, 2, 3, 4, 5, 6, 7))),
    constant('one', scalar('uint8', 1)),
    constant('two', int64s([2])),
    constant('first', int64s([1])),
    constant('none', int64s([0])),
    constant('end', int64s([1024])),
    constant('flat', int64s([0, -1])),
    { opType: 'Unsqueeze', inputs: ['bits', 'two'], output: 'bytes' },
    {
      opType: 'BitShift',
      inputs: ['bytes', 'shifts'],
      output: 'shifted',
      attribute: { name: 'direction', value: 'RIGHT' },
    },
    { opType: 'BitwiseAnd', inputs: ['shifted', 'one'], output: 'each' },
    { opType: 'Reshape', inputs: ['each', 'flat'], output: 'padded' },
    { opType: 'Slice', inputs: ['sizes', 'first', 'end'], output: 'inner' },
    { opType: 'ReduceProd', inputs: ['inner'], output: 'count', attribute: { name: 'keepdims', value: 1 } },
    { opType: 'Reshape', inputs: ['count', 'first'], output: 'counts' },
    { opType: 'Slice', inputs: ['padded', 'none', 'counts', 'first'], output: 'whole' },
    { opType: 'Reshape', inputs: ['whole', 'sizes'], output: 'shaped' },
    { opType: 'Cast', inputs: ['shaped'], output: 'is_high', attribute: { name: 'to', value: BOOL } },
    { opType: 'Where', inputs: ['is_high', 'high', 'low'], output: chosen },
  ]
  if (order === 'columns') nodes.push({ opType: 'Transpose', inputs: [chosen], output: SIGN_OUTPUT })
  return nodes
}

/** Which of the two functions this is: it has the name, the inputs and the very nodes; undefined: another one. */
export function signOrderOf(called: FunctionProto): SignOrder | undefined {
  if (called.domain !== SIGN_DOMAIN || called.overload !== '') return undefined
  const order = (Object.keys(SIGN_FUNCTIONS) as SignOrder[]).find((o) => SIGN_FUNCTIONS[o] === called.name)
  const isIt =
    order !== undefined &&
    called.input.join() === SIGN_INPUTS.join() &&
    called.output.join() === SIGN_OUTPUT &&
    sameNodes(called.node, signBody(order))
  return isIt ? order : undefined
}

function sameNodes(given: readonly NodeProto[], wanted: readonly SignNode[]): boolean {
  return (
    given.length === wanted.length &&
    given.every((node, i) => {
      const { opType, inputs, output, attribute } = wanted[i] as SignNode
      const isOnnx = node.domain === '' || node.domain === 'ai.onnx'
      const sameNames = node.input.join() === inputs.join() && node.output.join() === output
      if (!isOnnx || node.opType !== opType || !sameNames) return false
      const [own] = node.attribute
      if (attribute === undefined) return own === undefined
      return node.attribute.length === 1 && own?.name === attribute.name && sameValue(own, attribute.value)
    })
  )
}

function sameValue(own: AttributeProto, value: number | string | ConstantTensor): boolean {
  if (own.refAttrName !== '') return false
  if (typeof value === 'number') return own.i === BigInt(value)
  if (typeof value === 'string') return Buffer.from(own.s).toString('latin1') === value
  const { t } = own
  const sameSizes = t?.dims.map(Number).join() === value.dims.join()
  return t !== undefined && sameSizes && Buffer.compare(bytesOf(t.rawData), value.data) === 0
}
