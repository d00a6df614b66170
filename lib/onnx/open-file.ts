/** Files that stay open while a model is in use, so that large tensors are read when they are packed and not before. */
import type { FileHandle } from 'node:fs/promises'
import { OctavoError } from '../errors.js'
import type { DType } from '../graph/dtype.js'
import type { ConstantTensor, FileRange, Graph } from '../graph/graph.js'
import { mapGraphsDeep } from '../graph/subgraph.js'
import { readFully } from './file-window.js'

/** Files whose tensors a model reads; close them when it is compiled. */
export class OpenFiles {
  readonly #handles: FileHandle[] = []
  /** Tensors come from files besides the model's own. */
  external = false

  add(handle: FileHandle): void {
    this.#handles.push(handle)
  }

  async close(): Promise<void> {
    await Promise.all(this.#handles.splice(0).map((handle) => handle.close()))
  }
}

/**
 * The graph with all tensors in memory, those of owned graphs included: for those who need it when the files are closed. A
 * tensor that several graphs read is there once.
 */
export function inMemory(graph: Graph): Graph {
  const read = new Map<ConstantTensor, ConstantTensor>()
  const held = (tensor: ConstantTensor): ConstantTensor => {
    if (!tensor.file) return tensor
    const known = read.get(tensor) ?? { dtype: tensor.dtype, dims: tensor.dims, data: tensor.data }
    read.set(tensor, known)
    return known
  }
  return mapGraphsDeep(graph, (each) => {
    if (![...each.constants.values()].some((tensor) => tensor.file)) return each
    return { ...each, constants: new Map([...each.constants].map(([name, tensor]) => [name, held(tensor)])) }
  })
}

/** A constant whose bytes are read again whenever they are asked for, unless somebody still has them. */
export function constantInFile(dtype: DType, dims: readonly number[], file: FileRange): ConstantTensor {
  let latest: WeakRef<Uint8Array> | undefined
  return {
    dtype,
    dims,
    file,
    get data() {
      const known = latest?.deref()
      if (known) return known
      const bytes = readRange(file)
      latest = new WeakRef(bytes)
      return bytes
    },
  }
}

function readRange({ fd, offset, length }: FileRange): Uint8Array {
  const bytes = new Uint8Array(length)
  if (readFully(fd, bytes, offset) < length) {
    throw new OctavoError('ERR_IO', 'A file of the model ended early: was it written to?')
  }
  return bytes
}
