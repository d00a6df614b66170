/** Types under the names that onnxruntime-common exports them by. */
import type { ExternalData, SessionOptions } from './options.js'
import type { InferenceSession } from './session.js'
import type { Tensor } from './tensor.js'
import type { TensorType } from './tensor-types.js'

/** A tensor of a known element type: `Tensor` under the name that onnxruntime has for it. */
export type TypedTensor<T extends TensorType> = Tensor<T>
/** The class `Tensor`, for code that is handed the class. */
export type TensorConstructor = typeof Tensor
/** The static functions of `Tensor`. `fromPinnedBuffer` works; the others are about images and GPUs, and throw. */
export type TensorFactory = Pick<
  typeof Tensor,
  'fromImage' | 'fromTexture' | 'fromGpuBuffer' | 'fromMLTensor' | 'fromPinnedBuffer'
>
/** The class `InferenceSession`, for code that is handed the class. */
export type InferenceSessionFactory = typeof InferenceSession
/** Sequences and maps are not supported: every value is a tensor. */
export type NonTensorType = never
/** What a model takes and gives: tensors. */
export type OnnxValue = Tensor | NonTensorType
/** Where the data of a value is; that of Octavo's tensors is on the CPU. */
export type OnnxValueDataLocation = Tensor.DataLocation
/** The part of `SessionOptions` that is about the files of a model. */
export interface OnnxModelOptions {
  /** As in `SessionOptions`. */
  readonly externalData?: readonly ExternalData[]
}

/** What registerBackend takes, and ignores. */
export interface Backend {
  /** Never called. */
  init(backendName: string): Promise<void>
  /** Never called. */
  createInferenceSessionHandler(uriOrBuffer: string | Uint8Array, options?: SessionOptions): Promise<unknown>
}
