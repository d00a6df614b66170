/** AttributeProto to attribute. */
import { type AttributeProto, AttributeProto_AttributeType as Type } from 'onnx-buf'
import { OctavoError } from '../errors.js'
import type { Attribute, Graph } from '../graph/graph.js'
import { convertTensor, type ExternalPayloads } from './initializer.js'
import { decodeText } from './proto.js'

/** The kind of an attribute; files of IR 1 and 2 need not say it. */
function typeOf(proto: AttributeProto): Type {
  if (proto.type !== Type.UNDEFINED) return proto.type
  if (proto.t !== undefined) return Type.TENSOR
  if (proto.g !== undefined) return Type.GRAPH
  if (proto.floats.length > 0) return Type.FLOATS
  if (proto.ints.length > 0) return Type.INTS
  if (proto.strings.length > 0) return Type.STRINGS
  if (proto.s.byteLength > 0) return Type.STRING
  return proto.f !== 0 ? Type.FLOAT : Type.INT
}

/** undefined for kinds that no supported operator has (sequences of graphs, types, sparse tensors). */
export function convertAttribute(
  proto: AttributeProto,
  external: ExternalPayloads,
  what: string,
  graph: (proto: AttributeProto) => Graph,
): Attribute | undefined {
  switch (typeOf(proto)) {
    case Type.INT:
      return { kind: 'int', value: Number(proto.i) }
    case Type.FLOAT:
      return { kind: 'float', value: proto.f }
    case Type.STRING:
      return { kind: 'string', value: decodeText(proto.s) }
    case Type.INTS:
      return { kind: 'ints', value: proto.ints.map(Number) }
    case Type.FLOATS:
      return { kind: 'floats', value: proto.floats }
    case Type.STRINGS:
      return { kind: 'strings', value: proto.strings.map(decodeText) }
    case Type.TENSOR:
      if (proto.t === undefined) throw missing(what, 'a tensor')
      return { kind: 'tensor', value: convertTensor(proto.t, external, what) }
    case Type.GRAPH:
      if (proto.g === undefined) throw missing(what, 'a graph')
      return { kind: 'graph', value: graph(proto) }
    default:
      return undefined
  }
}

function missing(what: string, kind: string): OctavoError {
  return new OctavoError('ERR_MODEL_INVALID', `${what}: expected ${kind}, got none`)
}
