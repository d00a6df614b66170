/** AttributeProto to attribute. */
import { OctavoError } from '../errors.js'
import type { Attribute, Graph } from '../graph/graph.js'
import { convertTensor, type ExternalPayloads } from './initializer.js'
import { type AttributeProto, ATTRIBUTE_TYPE as Type } from './messages.js'
import { decodeText } from './proto.js'

/** The kind of an attribute; files of IR 1 and 2 need not say it. */
function typeOf(proto: AttributeProto): number {
  if (proto.type !== Type.undefined) return proto.type
  if (proto.t !== undefined) return Type.tensor
  if (proto.g !== undefined) return Type.graph
  if (proto.floats.length > 0) return Type.floats
  if (proto.ints.length > 0) return Type.ints
  if (proto.strings.length > 0) return Type.strings
  if (proto.s.byteLength > 0) return Type.string
  return proto.f !== 0 ? Type.float : Type.int
}

/** undefined for kinds that no supported operator has (sequences of graphs, types, sparse tensors). */
export function convertAttribute(
  proto: AttributeProto,
  external: ExternalPayloads,
  what: string,
  graph: (proto: AttributeProto) => Graph,
): Attribute | undefined {
  switch (typeOf(proto)) {
    case Type.int:
      return { kind: 'int', value: Number(proto.i) }
    case Type.float:
      return { kind: 'float', value: proto.f }
    case Type.string:
      return { kind: 'string', value: decodeText(proto.s) }
    case Type.ints:
      return { kind: 'ints', value: proto.ints.map(Number) }
    case Type.floats:
      return { kind: 'floats', value: proto.floats }
    case Type.strings:
      return { kind: 'strings', value: proto.strings.map(decodeText) }
    case Type.tensor:
      if (proto.t === undefined) throw missing(what, 'a tensor')
      return { kind: 'tensor', value: convertTensor(proto.t, external, what) }
    case Type.graph:
      if (proto.g === undefined) throw missing(what, 'a graph')
      return { kind: 'graph', value: graph(proto) }
    default:
      return undefined
  }
}

function missing(what: string, kind: string): OctavoError {
  return new OctavoError('ERR_MODEL_INVALID', `${what}: expected ${kind}, got none`)
}
