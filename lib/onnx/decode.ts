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

/** Adds the message that is the value of the field to a list. */
function add<T>(r: WireReader, list: T[], made: T, decode: (r: WireReader, into: T) => void): void {
  list.push(made)
  r.message(decode, made)
}

export function decodeModelProto(bytes: Uint8Array): ModelProto {
  const model: ModelProto = {
    irVersion: 0n,
    opsetImport: [],
    producerName: '',
    metadataProps: [],
    functions: [],
  }
  decodeModel(new WireReader(bytes), model)
  return model
}

function decodeModel(r: WireReader, model: ModelProto): void {
  while (r.next()) {
    if (r.wire === VARINT && r.field === 1) {
      model.irVersion = r.int64()
      continue
    }
    if (!r.is(BYTES)) continue
    switch (r.field) {
      case 2:
        model.producerName = r.text()
        break
      case 7:
        model.graph ??= emptyGraph()
        r.message(decodeGraph, model.graph)
        break
      case 8:
        add(r, model.opsetImport, { domain: '', version: 0n }, decodeOpset)
        break
      case 14:
        add(r, model.metadataProps, { key: '', value: '' }, decodeEntry)
        break
      case 25:
        add(r, model.functions, emptyFunction(), decodeFunction)
        break
      default:
        r.skip()
    }
  }
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
  while (r.next()) {
    if (!r.is(BYTES)) continue
    switch (r.field) {
      case 1:
        add(r, graph.node, emptyNode(), decodeNode)
        break
      case 2:
        graph.name = r.text()
        break
      case 5:
        add(r, graph.initializer, emptyTensor(), decodeTensor)
        break
      case 11:
        add(r, graph.input, { name: '' }, decodeValueInfo)
        break
      case 12:
        add(r, graph.output, { name: '' }, decodeValueInfo)
        break
      case 13:
        add(r, graph.valueInfo, { name: '' }, decodeValueInfo)
        break
      case 15: {
        // The name of a sparse tensor is that of its values.
        const values = emptyTensor()
        r.message(decodeSparseTensor, values)
        graph.sparseInitializer.push(values.name)
        break
      }
      default:
        r.skip()
    }
  }
}

function decodeSparseTensor(r: WireReader, values: TensorProto): void {
  while (r.next()) {
    if (r.wire === BYTES && r.field === 1) r.message(decodeTensor, values)
    else r.skip()
  }
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
  while (r.next()) {
    if (!r.is(BYTES)) continue
    switch (r.field) {
      case 1:
        node.input.push(r.text())
        break
      case 2:
        node.output.push(r.text())
        break
      case 3:
        node.name = r.text()
        break
      case 4:
        node.opType = r.text()
        break
      case 5:
        add(r, node.attribute, emptyAttribute(), decodeAttribute)
        break
      case 7:
        node.domain = r.text()
        break
      case 8:
        node.overload = r.text()
        break
      default:
        r.skip()
    }
  }
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
  while (r.next()) {
    const { field, wire } = r
    if (field === 7) r.numbers(a.floats, FIXED32, float)
    else if (field === 8) r.numbers(a.ints, VARINT, int64)
    else if (field === 2 && wire === FIXED32) a.f = r.float()
    else if (field === 3 && wire === VARINT) a.i = r.int64()
    else if (field === 20 && wire === VARINT) a.type = r.int32()
    else if (wire !== BYTES) r.skip()
    else {
      switch (field) {
        case 1:
          a.name = r.text()
          break
        case 4:
          a.s = r.bytes()
          break
        case 5:
          a.t ??= emptyTensor()
          r.message(decodeTensor, a.t)
          break
        case 6:
          a.g ??= emptyGraph()
          r.message(decodeGraph, a.g)
          break
        case 9:
          a.strings.push(r.bytes())
          break
        case 21:
          a.refAttrName = r.text()
          break
        default:
          r.skip()
      }
    }
  }
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
  while (r.next()) {
    switch (r.field) {
      case 1:
        r.numbers(t.dims, VARINT, int64)
        break
      case 2:
        if (r.is(VARINT)) t.dataType = r.int32()
        break
      case 3:
        t.segment = true
        r.skip()
        break
      case 4:
        r.numbers(t.floatData, FIXED32, float)
        break
      case 5:
        r.numbers(t.int32Data, VARINT, int32)
        break
      case 6:
        if (r.is(BYTES)) t.stringData.push(r.bytes())
        break
      case 7:
        r.numbers(t.int64Data, VARINT, int64)
        break
      case 8:
        if (r.is(BYTES)) t.name = r.text()
        break
      case 9:
        if (r.is(BYTES)) t.rawData = r.bytes()
        break
      case 10:
        r.numbers(t.doubleData, FIXED64, double)
        break
      case 11:
        r.numbers(t.uint64Data, VARINT, uint64)
        break
      case 13:
        if (r.is(BYTES)) add(r, t.externalData, { key: '', value: '' }, decodeEntry)
        break
      case 14:
        if (r.is(VARINT)) t.dataLocation = r.int32()
        break
      default:
        r.skip()
    }
  }
}

const float = (r: WireReader) => r.float()
const double = (r: WireReader) => r.double()
const int32 = (r: WireReader) => r.int32()
const int64 = (r: WireReader) => r.int64()
const uint64 = (r: WireReader) => r.uint64()

function decodeEntry(r: WireReader, entry: StringEntry): void {
  while (r.next()) {
    if (r.wire === BYTES && r.field === 1) entry.key = r.text()
    else if (r.wire === BYTES && r.field === 2) entry.value = r.text()
    else r.skip()
  }
}

function decodeOpset(r: WireReader, opset: OperatorSetIdProto): void {
  while (r.next()) {
    if (r.wire === BYTES && r.field === 1) opset.domain = r.text()
    else if (r.wire === VARINT && r.field === 2) opset.version = r.int64()
    else r.skip()
  }
}

function decodeValueInfo(r: WireReader, info: ValueInfoProto): void {
  while (r.next()) {
    if (r.wire === BYTES && r.field === 1) info.name = r.text()
    else if (r.wire === BYTES && r.field === 2) {
      info.type ??= { elemType: 0 }
      r.message(decodeType, info.type)
    } else r.skip()
  }
}

const KINDS: Readonly<Record<number, TypeProto['kind']>> = {
  1: 'tensorType',
  4: 'sequenceType',
  5: 'mapType',
  8: 'sparseTensorType',
  9: 'optionalType',
}

function decodeType(r: WireReader, type: TypeProto): void {
  while (r.next()) {
    const kind = r.wire === BYTES ? KINDS[r.field] : undefined
    if (kind !== undefined) type.kind = kind
    if (kind === 'tensorType') r.message(decodeTensorType, type)
    else r.skip()
  }
}

function decodeTensorType(r: WireReader, type: TypeProto): void {
  while (r.next()) {
    if (r.wire === VARINT && r.field === 1) type.elemType = r.int32()
    else if (r.wire === BYTES && r.field === 2) {
      type.shape ??= []
      r.message(decodeShape, type.shape)
    } else r.skip()
  }
}

function decodeShape(r: WireReader, shape: DimensionProto[]): void {
  while (r.next()) {
    if (r.wire === BYTES && r.field === 1) add(r, shape, {}, decodeDimension)
    else r.skip()
  }
}

/** A size is a number or a name: what is set last. */
function decodeDimension(r: WireReader, dim: DimensionProto): void {
  while (r.next()) {
    if (r.wire === VARINT && r.field === 1) {
      delete dim.dimParam
      dim.dimValue = r.int64()
    } else if (r.wire === BYTES && r.field === 2) {
      delete dim.dimValue
      dim.dimParam = r.text()
    } else r.skip()
  }
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
  while (r.next()) {
    if (!r.is(BYTES)) continue
    switch (r.field) {
      case 1:
        f.name = r.text()
        break
      case 4:
        f.input.push(r.text())
        break
      case 5:
        f.output.push(r.text())
        break
      case 7:
        add(r, f.node, emptyNode(), decodeNode)
        break
      case 9:
        add(r, f.opsetImport, { domain: '', version: 0n }, decodeOpset)
        break
      case 10:
        f.domain = r.text()
        break
      case 11:
        add(r, f.attributeProto, emptyAttribute(), decodeAttribute)
        break
      case 13:
        f.overload = r.text()
        break
      default:
        r.skip()
    }
  }
}
