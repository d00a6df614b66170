/** Types under the names that onnxruntime-common exports them by. */
import type { ExternalData, SessionOptions } from './options.js'
import type { InferenceSession } from './session.js'
import type { Tensor } from './tensor.js'
import type { TensorType } from './tensor-types.js'

export type TypedTensor<T extends TensorType> = Tensor<T>
export type TensorConstructor = typeof Tensor
export type TensorFactory = Pick<
  typeof Tensor,
  'fromImage' | 'fromTexture' | 'fromGpuBuffer' | 'fromMLTensor' | 'fromPinnedBuffer'
>
export type InferenceSessionFactory = typeof InferenceSession
/** Sequences and maps are not supported: every value is a tensor. */
export type NonTensorType = never
export type OnnxValue = Tensor | NonTensorType
export type OnnxValueDataLocation = Tensor.DataLocation
export interface OnnxModelOptions {
  readonly externalData?: readonly ExternalData[]
}

/** What registerBackend takes, and ignores. */
export interface Backend {
  init(backendName: string): Promise<void>
  createInferenceSessionHandler(uriOrBuffer: string | Uint8Array, options?: SessionOptions): Promise<unknown>
}
