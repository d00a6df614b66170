/** One case of the API, the same for Octavo and onnxruntime-node. */
import type * as onnxruntime from 'onnxruntime-common'
import { modelBytes, node, value } from '../helpers/model.js'

/** What both offer. The types are those of onnxruntime: Octavo is used as code written for onnxruntime uses it. */
export type Api = typeof onnxruntime

export interface ParityCase {
  readonly name: string
  /** Uses the API and gives what is compared, as plain values. */
  readonly act: (api: Api) => unknown
  /** What both give. */
  readonly gives?: unknown
  /** Class and message of the error that both give. */
  readonly throws?: readonly [typeof Error, RegExp]
  /** `code` of Octavo's error: onnxruntime has none, or names of its own. */
  readonly code?: string
}

/** sum = a + b, product = a * b, all float32 [2, 3]. */
export const arithmetic = modelBytes({
  name: 'arithmetic',
  input: [value('a', [2, 3]), value('b', [2, 3])],
  output: [value('sum', [2, 3]), value('product', [2, 3])],
  node: [node('Add', ['a', 'b'], ['sum']), node('Mul', ['a', 'b'], ['product'])],
})

/** y = relu(x), [batch, 3]. */
export const symbolic = modelBytes({
  name: 'symbolic',
  input: [value('x', ['batch', 3])],
  output: [value('y', ['batch', 3])],
  node: [node('Relu', ['x'], ['y'])],
})

/** y = x, [n], of an element type given by its number in onnx.proto. */
export function identity(elemType: number): Uint8Array {
  return modelBytes({
    name: 'identity',
    input: [value('x', ['n'], elemType)],
    output: [value('y', ['n'], elemType)],
    node: [node('Identity', ['x'], ['y'])],
  })
}

export const a = Float32Array.of(1, 2, 3, 4, 5, 6)
export const b = Float32Array.of(6, 5, 4, 3, 2, 1)
export const sum = [7, 7, 7, 7, 7, 7]
export const product = [6, 10, 12, 12, 10, 6]

export function feeds({ Tensor }: Api) {
  return { a: new Tensor('float32', a, [2, 3]), b: new Tensor('float32', b, [2, 3]) }
}

/** Creates a session, uses it, releases it. */
export async function withSession<T>(
  { InferenceSession }: Api,
  model: Uint8Array,
  use: (session: onnxruntime.InferenceSession) => Promise<T> | T,
  options: onnxruntime.InferenceSession.SessionOptions = {},
): Promise<T> {
  const session = await InferenceSession.create(model, { logSeverityLevel: 4, ...options })
  try {
    return await use(session)
  } finally {
    await session.release()
  }
}

/** Tensors of a result as plain values. */
export function plain(results: onnxruntime.InferenceSession.OnnxValueMapType) {
  return Object.fromEntries(
    Object.entries(results).map(([name, { type, dims, data, location }]) => [
      name,
      { type, dims: [...dims], data: Array.from(data as ArrayLike<unknown>), location },
    ]),
  )
}

/** For calls that the types forbid. */
export function untyped(value: unknown): never {
  return value as never
}
