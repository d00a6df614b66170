/** Constant nodes, in all their forms, as constants. */
import { OctavoError } from '../errors.js'
import type { Attribute, ConstantTensor } from '../graph/graph.js'
import { scalar, stringTensor, tensorFromNumbers, tensorOf } from '../graph/tensor.js'
import { type AttributeProto, ATTRIBUTE_TYPE as Type } from './messages.js'

/** The tensor of the single attribute of a Constant node. `proto` is there to take 64-bit integers exactly. */
export function constantTensor(
  name: string,
  attribute: Attribute | undefined,
  proto: AttributeProto | undefined,
  what: string,
): ConstantTensor {
  if (proto?.type === Type.int && proto.refAttrName === '')
    return tensorOf('int64', [], BigInt64Array.of(proto.i))
  if (proto?.type === Type.ints && proto.refAttrName === '') {
    return tensorOf('int64', [proto.ints.length], BigInt64Array.from(proto.ints))
  }
  switch (attribute?.kind) {
    case 'tensor':
      return attribute.value
    case 'float':
      return scalar('float32', attribute.value)
    case 'floats':
      return tensorFromNumbers('float32', [attribute.value.length], attribute.value)
    case 'int':
      return scalar('int64', attribute.value)
    case 'ints':
      return tensorFromNumbers('int64', [attribute.value.length], attribute.value)
    case 'string':
      return stringTensor([], [attribute.value])
    case 'strings':
      return stringTensor([attribute.value.length], attribute.value)
    default:
      throw new OctavoError(
        name === 'sparse_value' ? 'ERR_UNSUPPORTED_OP' : 'ERR_MODEL_INVALID',
        `${what}: expected one attribute with a dense value, got ${name === '' ? 'none' : `"${name}"`}`,
      )
  }
}
