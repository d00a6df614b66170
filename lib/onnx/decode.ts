/** Bytes to the messages of onnx.proto. Field numbers are those of that file; what has none here is skipped. */
import type {
  AttributeProto,
  DimensionProto,
  FunctionProto,
  GraphProto,
  ModelProto,
  NodeProto,
  OperatorSetIdProto,
  StringEntry,
  TensorProto,
  TypeProto,
  ValueInfoProto,
} from './messages.js'
import { BYTES, FIXED32, FIXED64, VARINT, WireReader } from './wire-reader.js'

const NONE = new Uint8Array(0)

/** Reads a message, field by field. A field for which `read` answers false is skipped. */
function fields(r: WireReader, read: (field: number, wire: number) => boolean): void {
  while (r.next()) if (!read(r.field, r.wire)) r.skip()
}

/** Adds a message to a list. */
function add<T>(r: WireReader, list: T[], made: T, decode: (r: WireReader, into: T) => void): true {
  list.push(made)
  r.message(() => decode(r, made))
  return true
}

export function decodeModelProto(bytes: Uint8Array): ModelProto {
  const r = new WireReader(bytes)
  const model: ModelProto = {
    irVersion: 0n,
    opsetImport: [],
    producerName: '',
    metadataProps: [],
    functions: [],
  }
  fields(r, (field, wire) => {
    if (field === 1 && wire === VARINT) return assign(() => (model.irVersion = r.int64()))
    if (wire !== BYTES) return false
    switch (field) {
      case 2:
        return assign(() => (model.producerName = r.text()))
      case 7: {
        model.graph ??= emptyGraph()
        const { graph } = model
        return assign(() => r.message(() => decodeGraph(r, graph)))
      }
      case 8:
        return add(r, model.opsetImport, { domain: '', version: 0n }, decodeOpset)
      case 14:
        return add(r, model.metadataProps, { key: '', value: '' }, decodeEntry)
      case 25:
        return add(r, model.functions, emptyFunction(), decodeFunction)
      default:
        return false
    }
  })
  return model
}

function assign(change: () => unknown): true {
  change()
  return true
}

const emptyGraph = (): GraphProto => ({
  node: [],
  name: '',
  initializer: [],
  sparseInitializer: [],
  input: [],
  output: [],
  valueInfo: [],
})

function decodeGraph(r: WireReader, graph: GraphProto): void {
  fields(r, (field, wire) => {
    if (wire !== BYTES) return false
    switch (field) {
      case 1:
        return add(r, graph.node, emptyNode(), decodeNode)
      case 2:
        return assign(() => (graph.name = r.text()))
      case 5:
        return add(r, graph.initializer, emptyTensor(), decodeTensor)
      case 11:
        return add(r, graph.input, { name: '' }, decodeValueInfo)
      case 12:
        return add(r, graph.output, { name: '' }, decodeValueInfo)
      case 13:
        return add(r, graph.valueInfo, { name: '' }, decodeValueInfo)
      case 15:
        return assign(() => graph.sparseInitializer.push(sparseName(r)))
      default:
        return false
    }
  })
}

/** The name of a sparse tensor is that of its values. */
function sparseName(r: WireReader): string {
  const values = emptyTensor()
  r.message(() =>
    fields(r, (field, wire) =>
      field === 1 && wire === BYTES ? assign(() => r.message(() => decodeTensor(r, values))) : false,
    ),
  )
  return values.name
}

const emptyNode = (): NodeProto => ({
  input: [],
  output: [],
  name: '',
  opType: '',
  domain: '',
  overload: '',
  attribute: [],
})

function decodeNode(r: WireReader, node: NodeProto): void {
  fields(r, (field, wire) => {
    if (wire !== BYTES) return false
    switch (field) {
      case 1:
        return assign(() => node.input.push(r.text()))
      case 2:
        return assign(() => node.output.push(r.text()))
      case 3:
        return assign(() => (node.name = r.text()))
      case 4:
        return assign(() => (node.opType = r.text()))
      case 5:
        return add(r, node.attribute, emptyAttribute(), decodeAttribute)
      case 7:
        return assign(() => (node.domain = r.text()))
      case 8:
        return assign(() => (node.overload = r.text()))
      default:
        return false
    }
  })
}

const emptyAttribute = (): AttributeProto => ({
  name: '',
  refAttrName: '',
  type: 0,
  f: 0,
  i: 0n,
  s: NONE,
  floats: [],
  ints: [],
  strings: [],
})

function decodeAttribute(r: WireReader, a: AttributeProto): void {
  fields(r, (field, wire) => {
    if (field === 7) return r.numbers(a.floats, FIXED32, () => r.float())
    if (field === 8) return r.numbers(a.ints, VARINT, () => r.int64())
    if (field === 2 && wire === FIXED32) return assign(() => (a.f = r.float()))
    if (field === 3 && wire === VARINT) return assign(() => (a.i = r.int64()))
    if (field === 20 && wire === VARINT) return assign(() => (a.type = r.int32()))
    if (wire !== BYTES) return false
    switch (field) {
      case 1:
        return assign(() => (a.name = r.text()))
      case 4:
        return assign(() => (a.s = r.bytes()))
      case 5: {
        a.t ??= emptyTensor()
        const { t } = a
        return assign(() => r.message(() => decodeTensor(r, t)))
      }
      case 6: {
        a.g ??= emptyGraph()
        const { g } = a
        return assign(() => r.message(() => decodeGraph(r, g)))
      }
      case 9:
        return assign(() => a.strings.push(r.bytes()))
      case 21:
        return assign(() => (a.refAttrName = r.text()))
      default:
        return false
    }
  })
}

const emptyTensor = (): TensorProto => ({
  dims: [],
  dataType: 0,
  floatData: [],
  int32Data: [],
  stringData: [],
  int64Data: [],
  name: '',
  rawData: NONE,
  externalData: [],
  dataLocation: 0,
  doubleData: [],
  uint64Data: [],
})

function decodeTensor(r: WireReader, t: TensorProto): void {
  fields(r, (field, wire) => {
    switch (field) {
      case 1:
        return r.numbers(t.dims, VARINT, () => r.int64())
      case 2:
        return wire === VARINT && assign(() => (t.dataType = r.int32()))
      case 3:
        t.segment = true
        return false
      case 4:
        return r.numbers(t.floatData, FIXED32, () => r.float())
      case 5:
        return r.numbers(t.int32Data, VARINT, () => r.int32())
      case 6:
        return wire === BYTES && assign(() => t.stringData.push(r.bytes()))
      case 7:
        return r.numbers(t.int64Data, VARINT, () => r.int64())
      case 8:
        return wire === BYTES && assign(() => (t.name = r.text()))
      case 9:
        return wire === BYTES && assign(() => (t.rawData = r.bytes()))
      case 10:
        return r.numbers(t.doubleData, FIXED64, () => r.double())
      case 11:
        return r.numbers(t.uint64Data, VARINT, () => r.uint64())
      case 13:
        return wire === BYTES && add(r, t.externalData, { key: '', value: '' }, decodeEntry)
      case 14:
        return wire === VARINT && assign(() => (t.dataLocation = r.int32()))
      default:
        return false
    }
  })
}

function decodeEntry(r: WireReader, entry: StringEntry): void {
  fields(r, (field, wire) => {
    if (wire !== BYTES) return false
    if (field === 1) return assign(() => (entry.key = r.text()))
    return field === 2 && assign(() => (entry.value = r.text()))
  })
}

function decodeOpset(r: WireReader, opset: OperatorSetIdProto): void {
  fields(r, (field, wire) => {
    if (field === 1 && wire === BYTES) return assign(() => (opset.domain = r.text()))
    return field === 2 && wire === VARINT && assign(() => (opset.version = r.int64()))
  })
}

function decodeValueInfo(r: WireReader, info: ValueInfoProto): void {
  fields(r, (field, wire) => {
    if (wire !== BYTES) return false
    if (field === 1) return assign(() => (info.name = r.text()))
    if (field !== 2) return false
    info.type ??= { elemType: 0 }
    const { type } = info
    return assign(() => r.message(() => decodeType(r, type)))
  })
}

const KINDS: Readonly<Record<number, TypeProto['kind']>> = {
  1: 'tensorType',
  4: 'sequenceType',
  5: 'mapType',
  8: 'sparseTensorType',
  9: 'optionalType',
}

function decodeType(r: WireReader, type: TypeProto): void {
  fields(r, (field, wire) => {
    const kind = KINDS[field]
    if (wire !== BYTES || kind === undefined) return false
    type.kind = kind
    return kind === 'tensorType' && assign(() => r.message(() => decodeTensorType(r, type)))
  })
}

function decodeTensorType(r: WireReader, type: TypeProto): void {
  fields(r, (field, wire) => {
    if (field === 1 && wire === VARINT) return assign(() => (type.elemType = r.int32()))
    if (field !== 2 || wire !== BYTES) return false
    type.shape ??= []
    const { shape } = type
    return assign(() =>
      r.message(() =>
        fields(r, (inner, w) => (inner === 1 && w === BYTES ? add(r, shape, {}, decodeDimension) : false)),
      ),
    )
  })
}

/** A size is a number or a name: what is set last. */
function decodeDimension(r: WireReader, dim: DimensionProto): void {
  fields(r, (field, wire) => {
    if (field === 1 && wire === VARINT) {
      delete dim.dimParam
      return assign(() => (dim.dimValue = r.int64()))
    }
    if (field !== 2 || wire !== BYTES) return false
    delete dim.dimValue
    return assign(() => (dim.dimParam = r.text()))
  })
}

const emptyFunction = (): FunctionProto => ({
  name: '',
  input: [],
  output: [],
  attributeProto: [],
  node: [],
  opsetImport: [],
  domain: '',
  overload: '',
})

function decodeFunction(r: WireReader, f: FunctionProto): void {
  fields(r, (field, wire) => {
    if (wire !== BYTES) return false
    switch (field) {
      case 1:
        return assign(() => (f.name = r.text()))
      case 4:
        return assign(() => f.input.push(r.text()))
      case 5:
        return assign(() => f.output.push(r.text()))
      case 7:
        return add(r, f.node, emptyNode(), decodeNode)
      case 9:
        return add(r, f.opsetImport, { domain: '', version: 0n }, decodeOpset)
      case 10:
        return assign(() => (f.domain = r.text()))
      case 11:
        return add(r, f.attributeProto, emptyAttribute(), decodeAttribute)
      case 13:
        return assign(() => (f.overload = r.text()))
      default:
        return false
    }
  })
}
