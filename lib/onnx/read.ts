/** Reads an ONNX model from a file or from bytes. */
import { constants } from 'node:fs'
import { open, stat } from 'node:fs/promises'
import type { GraphProto, ModelProto, TensorProto } from 'onnx-buf'
import { OctavoError, typeError } from '../errors.js'
import { DTYPES } from '../graph/dtype.js'
import type { Model } from '../graph/graph.js'
import { Converter } from './convert.js'
import { type ExternalDataFile, readExternal } from './external.js'
import { isExternal } from './initializer.js'
import { Breather, type ReadLimits } from './limits.js'
import { opsetOf } from './opsets.js'
import { decodeModel } from './proto.js'
import { CANONICAL_OPSET } from './upgrade/index.js'

export interface ReadOptions {
  /** Files of external data that are not to be looked up in the folder of the model. */
  readonly externalData?: readonly ExternalDataFile[]
  readonly limits?: ReadLimits
  readonly signal?: AbortSignal
}

/**
 * The model of a path or of bytes. Constants of the result are views of the bytes given: do not change them while
 * the model is in use. Runs in pieces of some 10 ms, so that the event loop goes on.
 */
export async function readModel(source: string | Uint8Array, options: ReadOptions = {}): Promise<Model> {
  const { signal, limits = {}, externalData = [] } = options
  signal?.throwIfAborted()
  if (typeof source !== 'string' && !(source instanceof Uint8Array)) {
    throw typeError('Expected the model as a path or a Uint8Array')
  }
  const path = typeof source === 'string' ? source : undefined
  const read = typeof source === 'string' ? await readFile(source, signal) : source
  // Not a Buffer, whose slice() does not copy. A buffer that was transferred away has no bytes, and no views.
  const bytes =
    read.byteLength === 0 ? new Uint8Array(0) : new Uint8Array(read.buffer, read.byteOffset, read.byteLength)
  const breather = new Breather(signal)
  const proto = decodeModel(bytes, path === undefined ? 'the bytes given' : `"${path}"`)
  const graph = proto.graph as GraphProto
  const opset = opsetOf(proto.opsetImport)
  await breather.pause()
  const facts = collect(proto)
  const external = await readExternal(facts.externalTensors, path, externalData, signal)
  await breather.pause()
  const converter = new Converter(proto, { ...facts, external }, limits, breather)
  return {
    graph: await converter.convert(graph),
    opset: opset ?? CANONICAL_OPSET,
    irVersion: Number(proto.irVersion),
    producer: proto.producerName,
    metadata: Object.fromEntries(proto.metadataProps.map(({ key, value }) => [key, value])),
  }
}

async function readFile(path: string, signal?: AbortSignal): Promise<Uint8Array> {
  const failure = (reason: string, cause?: unknown) =>
    new OctavoError('ERR_IO', `Load model from ${path} failed: ${reason}`, { cause })
  // Asked before opening: opening a FIFO would wait for a writer.
  const before = await stat(path).catch((cause: NodeJS.ErrnoException) => {
    throw failure(cause.code === 'ENOENT' ? "File doesn't exist" : cause.message, cause)
  })
  if (!before.isFile()) throw failure('expected a regular file')
  const handle = await open(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0)).catch((cause: Error) => {
    throw failure(cause.message, cause)
  })
  try {
    if (!(await handle.stat()).isFile()) throw failure('expected a regular file')
    return await handle.readFile({ signal })
  } catch (cause) {
    signal?.throwIfAborted()
    throw cause instanceof OctavoError
      ? cause
      : failure(cause instanceof Error ? cause.message : String(cause), cause)
  } finally {
    await handle.close()
  }
}

interface Facts {
  readonly externalTensors: TensorProto[]
  /** Names of sizes, so that those made up for sizes without a name differ. */
  readonly dimParams: Set<string>
  onlyFloat32: boolean
}

const OTHER_FLOATS: ReadonlySet<bigint> = new Set(
  [DTYPES.float16.onnx, DTYPES.float64.onnx, DTYPES.bfloat16.onnx].map(BigInt),
)

/** One walk over the file, nested graphs and functions included. */
function collect(model: ModelProto): Facts {
  const facts: Facts = { externalTensors: [], dimParams: new Set(), onlyFloat32: true }
  const tensor = (proto: TensorProto) => {
    if (isExternal(proto)) facts.externalTensors.push(proto)
    if (OTHER_FLOATS.has(BigInt(proto.dataType))) facts.onlyFloat32 = false
  }
  const nodes = (list: GraphProto['node']) => {
    for (const node of list) {
      for (const attribute of node.attribute) {
        if (attribute.t) tensor(attribute.t)
        if (attribute.g) graph(attribute.g)
        // The target type of Cast, RandomNormal, EyeLike and the like.
        if ((attribute.name === 'to' || attribute.name.endsWith('dtype')) && OTHER_FLOATS.has(attribute.i)) {
          facts.onlyFloat32 = false
        }
      }
    }
  }
  const graph = (proto: GraphProto) => {
    proto.initializer.forEach(tensor)
    for (const info of [...proto.input, ...proto.output, ...proto.valueInfo]) {
      const type = info.type?.value
      if (type?.case !== 'tensorType') continue
      if (OTHER_FLOATS.has(BigInt(type.value.elemType))) facts.onlyFloat32 = false
      for (const { value } of type.value.shape?.dim ?? [])
        if (value.case === 'dimParam') facts.dimParams.add(value.value)
    }
    nodes(proto.node)
  }
  if (model.graph) graph(model.graph)
  for (const { node } of model.functions) nodes(node)
  return facts
}
