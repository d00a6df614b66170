/** Operators before opset 7: broadcasting by attribute, switches of training, operands that were attributes. */

import { DTYPES, type DType } from '../../graph/dtype.js'
import { floatAttribute, intAttribute, intsAttribute, type Node, stringAttribute } from '../../graph/graph.js'
import { int64s } from '../../graph/tensor.js'
import { type Upgrade, type UpgradeContext, without } from './context.js'

/**
 * Arithmetic before 7: the second operand is aligned with `axis` of the first (with its last axes where there is no axis).
 * Ones follow its sizes; how many depends on ranks, which inference knows.
 */
export const alignedBroadcast: Upgrade = (node, context) => {
  const axis = intAttribute(node, 'axis')
  const plain = without(node, 'axis', 'broadcast')
  if (intAttribute(node, 'broadcast', 0) === 0 || axis === undefined) return [plain]
  return aligned(plain, axis, context)
}

/** PRelu before 7: one slope, or one per channel. */
export const channelSlope: Upgrade = (node, context) => {
  const slope = context.constantOf(node.inputs[1] ?? '') ?? context.typeOf(node.inputs[1] ?? '')
  const shape = slope && ('dims' in slope ? slope.dims : slope.shape)
  return shape?.length === 1 && shape[0] !== 1 ? aligned(node, 1, context) : [node]
}

function aligned(node: Node, axis: number, context: UpgradeContext): readonly Node[] {
  const [a = '', b = ''] = node.inputs
  const name = (suffix: string) => context.fresh(suffix)
  const [sizes, tail, tailRank, own, ownRank, count, ones, wanted, reshaped] = [
    name('sizes'),
    name('tail'),
    name('tail_rank'),
    name('own_sizes'),
    name('own_rank'),
    name('count'),
    name('ones'),
    name('aligned_sizes'),
    name('aligned'),
  ] as const
  const from = context.constant('from', int64s([axis]))
  const end = context.constant('end', int64s([2 ** 31]))
  const one = { kind: 'tensor', value: int64s([1]) } as const
  return [
    context.node('Shape', [a], [sizes]),
    context.node('Slice', [sizes, from, end], [tail]),
    context.node('Shape', [tail], [tailRank]),
    context.node('Shape', [b], [own]),
    context.node('Shape', [own], [ownRank]),
    context.node('Sub', [tailRank, ownRank], [count]),
    context.node('ConstantOfShape', [count], [ones], { value: one }),
    context.node('Concat', [own, ones], [wanted], { axis: { kind: 'int', value: 0 } }),
    context.node('Reshape', [b, wanted], [reshaped]),
    { ...node, inputs: [a, reshaped] },
  ]
}

/** Switches of training, which Octavo does not do from a file: these nodes are taken as inference. */
export const inferenceOnly: Upgrade = (node) => [without(node, 'is_test', 'consumed_inputs')]

/** Gemm before 7 broadcast C only where `broadcast` says so; what is valid then is valid now. */
export const gemmBroadcast: Upgrade = (node) => [without(node, 'broadcast')]

/** Recurrent cells before 7 said whether they give out the sequence; an absent output says it now. */
export const recurrentOutputs: Upgrade = (node) => [without(node, 'output_sequence')]

/** Cast-1 named the type. */
export const castName: Upgrade = (node, context) => {
  const to = stringAttribute(node, 'to', '')
  if (to === '') return [node]
  const name = ONNX_TYPE_NAMES[to] ?? context.fail(`expected the name of a type in "to", got "${to}"`)
  return [{ ...node, attributes: { ...node.attributes, to: { kind: 'int', value: DTYPES[name].onnx } } }]
}

const ONNX_TYPE_NAMES: Readonly<Record<string, DType>> = {
  FLOAT: 'float32',
  UINT8: 'uint8',
  INT8: 'int8',
  UINT16: 'uint16',
  INT16: 'int16',
  INT32: 'int32',
  INT64: 'int64',
  BOOL: 'bool',
  FLOAT16: 'float16',
  DOUBLE: 'float64',
  UINT32: 'uint32',
  UINT64: 'uint64',
}

/** Concat-1 had 1 as its default axis. */
export const concatAxis: Upgrade = (node) => [
  { ...node, attributes: { axis: { kind: 'int', value: 1 }, ...node.attributes } },
]

/** Pad-1 called its pads paddings. */
export const padName: Upgrade = (node, context) => {
  const pads = intsAttribute(node, 'paddings') ?? context.fail('expected paddings')
  const { attributes } = without(node, 'paddings')
  return [{ ...node, attributes: { ...attributes, pads: { kind: 'ints', value: pads } } }]
}

/** Reshape-1 had the sizes as an attribute. */
export const reshapeSizes: Upgrade = (node, context) => {
  const shape = intsAttribute(node, 'shape')
  if (shape === undefined) return [node]
  return [
    {
      ...without(node, 'shape', 'consumed_inputs'),
      inputs: [node.inputs[0] ?? '', context.constant('shape', int64s(shape))],
    },
  ]
}

/** Upsample-1 had one scale for each of the two last axes. */
export const upsampleScales: Upgrade = (node) => {
  const value = [1, 1, floatAttribute(node, 'height_scale', 1), floatAttribute(node, 'width_scale', 1)]
  const { attributes } = without(node, 'height_scale', 'width_scale')
  return [{ ...node, attributes: { ...attributes, scales: { kind: 'floats', value } } }]
}
