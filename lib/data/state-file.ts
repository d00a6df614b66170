/**
 * States in files: a .npz archive (NumPy reads it) with one array per state, by its name. A file is replaced as a whole or not
 * at all, and the same states give the same bytes.
 */
import type { StateStore, StateValue } from '../compile/run/state-store.js'
import { OctavoError } from '../errors.js'
import { writeFileAtomic } from '../files.js'
import type { Tensor } from '../session/tensor.js'
import type { TensorType } from '../session/tensor-types.js'
import { formatNpz, rawTensor, readNpz } from './npy.js'

export interface StateFileOptions {
  /** Which states; default: all that the store has. */
  readonly names?: readonly string[]
  readonly signal?: AbortSignal
}

/** Writes states as they are between two runs, over a file that exists. Errors: ERR_IO; ERR_DTYPE_MISMATCH for bfloat16, which NumPy lacks. */
export async function saveStates(
  store: StateStore,
  path: string,
  { names, signal }: StateFileOptions = {},
): Promise<void> {
  const tensors = Object.entries(store.read(names)).map(
    ([name, value]) => [name, tensorOf(name, value)] as const,
  )
  await writeFileAtomic(path, formatNpz(Object.fromEntries(tensors)), { force: true, signal })
}

/**
 * Sets states from a file, all at once with respect to runs. The file must have each of them, of its type and size
 * (ERR_SHAPE_MISMATCH; nothing is set then); what it has besides is not read: a checkpoint of a training serves a program
 * that only evaluates.
 */
export async function loadStates(
  store: StateStore,
  path: string,
  { names = store.names, signal }: StateFileOptions = {},
): Promise<void> {
  const arrays = await readNpz(path)
  signal?.throwIfAborted()
  const values = names.map((name) => {
    const tensor = Object.hasOwn(arrays, name) ? arrays[name] : undefined
    if (tensor) return [name, stateOf(tensor)] as const
    throw new OctavoError('ERR_SHAPE_MISMATCH', `${path}: expected an array '${name}', there is none.`, {
      tensor: name,
    })
  })
  store.write(Object.fromEntries(values))
}

function tensorOf(name: string, { dtype, dims, data }: StateValue): Tensor {
  return rawTensor(data, dtype as TensorType, dims, `state '${name}'`)
}

function stateOf({ type, dims, data }: Tensor): StateValue {
  const { buffer, byteOffset, byteLength } = data as unknown as ArrayBufferView
  return { dtype: type as StateValue['dtype'], dims, data: new Uint8Array(buffer, byteOffset, byteLength) }
}
