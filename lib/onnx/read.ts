/** Reads an ONNX model from a file or from bytes. */
import { constants, open, stat } from 'node:fs/promises'
import { OctavoError, typeError } from '../errors.js'
import { Pace } from '../event-loop.js'
import { DTYPES } from '../graph/dtype.js'
import type { Model } from '../graph/graph.js'
import { blockActivationsOf } from './block-activations.js'
import { Converter } from './convert.js'
import { type ExternalDataFile, readExternal } from './external.js'
import { isExternal } from './initializer.js'
import type { ReadLimits } from './limits.js'
import type { GraphProto, ModelProto, TensorProto } from './messages.js'
import type { OpenFiles } from './open-file.js'
import { opsetOf } from './opsets.js'
import { decodeModel } from './proto.js'
import { readSkeleton, type Skeleton } from './skeleton.js'
import { CANONICAL_OPSET } from './upgrade/index.js'

export interface ReadOptions {
  /** Files of external data that are not to be looked up in the folder of the model. */
  readonly externalData?: readonly ExternalDataFile[]
  readonly limits?: ReadLimits
  /** Takes the files of large models, which then stay open: tensors are read when they are needed. */
  readonly files?: OpenFiles
  readonly signal?: AbortSignal
}

/**
 * The model of a path or of bytes. Constants of the result are views of the bytes given: do not change them while
 * the model is in use. Runs in pieces of some 10 ms, so that the event loop goes on.
 */
export async function readModel(source: string | Uint8Array, options: ReadOptions = {}): Promise<Model> {
  const { signal, limits = {}, externalData = [], files } = options
  signal?.throwIfAborted()
  if (typeof source !== 'string' && !(source instanceof Uint8Array)) {
    throw typeError('Expected the model as a path or a Uint8Array')
  }
  const path = typeof source === 'string' ? source : undefined
  const { bytes, ranges } =
    typeof source === 'string' ? await readFile(source, files, signal) : { bytes: source, ranges: [] }
  const pace = new Pace(signal)
  const proto = decodeModel(plain(bytes), path === undefined ? 'the bytes given' : `"${path}"`)
  ranges.forEach((range, i) => {
    const tensor = proto.graph.initializer[i]
    if (range && tensor) tensor.file = range
  })
  const opset = opsetOf(proto.opsetImport)
  await pace.pause()
  const facts = collect(proto)
  if (files && facts.externalTensors.length > 0) files.external = true
  const external = await readExternal(facts.externalTensors, path, externalData, files, signal)
  await pace.pause()
  const converter = new Converter(proto, { ...facts, external }, limits, pace)
  const metadata = Object.fromEntries(proto.metadataProps.map(({ key, value }) => [key, value]))
  const blockActivations = blockActivationsOf(metadata)
  const graph = await converter.convert(proto.graph)
  return {
    graph: blockActivations === undefined ? graph : { ...graph, blockActivations },
    opset: opset ?? CANONICAL_OPSET,
    irVersion: Number(proto.irVersion),
    producer: proto.producerName,
    metadata,
  }
}

/** Not a Buffer, whose slice() does not copy. A buffer that was transferred away has no bytes, and no views. */
function plain(bytes: Uint8Array): Uint8Array {
  if (bytes.byteLength === 0) return new Uint8Array(0)
  return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}

/** Smaller files are read whole. */
const LARGE_FILE = 1 << 20

async function readFile(path: string, files?: OpenFiles, signal?: AbortSignal): Promise<Skeleton> {
  const failure = (reason: string, cause?: unknown) =>
    new OctavoError('ERR_IO', `Load model from ${path} failed: ${reason}`, { cause })
  // Checks before it opens: opening a FIFO would wait for a writer.
  const before = await stat(path).catch((cause: NodeJS.ErrnoException) => {
    throw failure(cause.code === 'ENOENT' ? "File doesn't exist" : cause.message, cause)
  })
  if (!before.isFile()) throw failure('expected a regular file')
  const handle = await open(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0)).catch((cause: Error) => {
    throw failure(cause.message, cause)
  })
  let kept = false
  try {
    const status = await handle.stat()
    if (!status.isFile()) throw failure('expected a regular file')
    if (files && status.size >= LARGE_FILE) {
      const skeleton = await readSkeleton(handle.fd, status.size, new Pace(signal))
      signal?.throwIfAborted()
      if (skeleton) {
        files.add(handle)
        kept = true
        return skeleton
      }
    }
    return { bytes: await handle.readFile({ signal }), ranges: [] }
  } catch (cause) {
    signal?.throwIfAborted()
    throw cause instanceof OctavoError
      ? cause
      : failure(cause instanceof Error ? cause.message : String(cause), cause)
  } finally {
    if (!kept) await handle.close()
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
function collect(model: ModelProto & { readonly graph: GraphProto }): Facts {
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
      const { type } = info
      if (type?.kind !== 'tensorType') continue
      if (OTHER_FLOATS.has(BigInt(type.elemType))) facts.onlyFloat32 = false
      for (const { dimParam } of type.shape ?? []) if (dimParam !== undefined) facts.dimParams.add(dimParam)
    }
    nodes(proto.node)
  }
  graph(model.graph)
  for (const { node } of model.functions) nodes(node)
  return facts
}
