/**
 * Errors of Octavo. Wrong arguments are TypeError or RangeError with a `code`; all else is an OctavoError.
 * A message says what was expected, what came, and where.
 */

/**
 * What went wrong, for programs. The errors of Octavo have one as `code`, but for those of a disposed Tensor and of
 * its functions for images and GPUs. Where an `AbortSignal` stops the work, the error is the signal's `reason`.
 *
 * | code | class | what happened |
 * |---|---|---|
 * | `ERR_INVALID_ARG_TYPE` | TypeError | an argument or option is of the wrong kind; the message names it |
 * | `ERR_OUT_OF_RANGE` | RangeError | an argument or option is of the right kind, with a value that is not possible |
 * | `ERR_MISSING_INPUT` | OctavoError | the feeds lack an input of the model |
 * | `ERR_SHAPE_MISMATCH` | OctavoError | a tensor has other sizes than the model, or than another tensor, asks for |
 * | `ERR_DTYPE_MISMATCH` | OctavoError | a tensor has another element type than the model takes, or one without an array |
 * | `ERR_MODEL_PARSE` | OctavoError | the bytes are not an ONNX file |
 * | `ERR_MODEL_INVALID` | OctavoError | the ONNX file breaks a rule: an unknown name, a circle, a wrong attribute |
 * | `ERR_UNSUPPORTED_OP` | OctavoError | an operator, or a form of one, that Octavo does not have |
 * | `ERR_UNSUPPORTED_OPSET` | OctavoError | an opset of ai.onnx that Octavo does not know |
 * | `ERR_EXTERNAL_DATA` | OctavoError | a file of external data is missing, too short, or outside of the model's folder |
 * | `ERR_ALREADY_QUANTIZED` | OctavoError | a model to quantize has quantized operators |
 * | `ERR_NOTHING_QUANTIZED` | OctavoError | no part of a model to quantize gains by integers; the message says why |
 * | `ERR_CALIBRATION_DATA` | OctavoError | there are no samples, or one does not fit the model or is not finite |
 * | `ERR_LIMIT` | OctavoError | a limit was reached: bytes of a tensor, iterations, nodes, depth, memory |
 * | `ERR_SESSION_DISPOSED` | OctavoError | the session was released before |
 * | `ERR_NATIVE_LOAD` | OctavoError | the native part does not load on this machine; the message says how to fix that |
 * | `ERR_MISSING_DEPENDENCY` | OctavoError | an optional package is not installed (sharp, for images; a tokenizer, for text) |
 * | `ERR_IO` | OctavoError | a file cannot be read or written |
 * | `ERR_ABORTED` | OctavoError | the run was told to end (`RunOptions.terminate`) |
 * | `ERR_RUN` | OctavoError | a run met data that it cannot compute with, an index out of bounds for example |
 * | `ERR_INTERNAL` | OctavoError | a fault of Octavo: please report it |
 */
export type ErrorCode =
  | 'ERR_INVALID_ARG_TYPE'
  | 'ERR_OUT_OF_RANGE'
  | 'ERR_MISSING_INPUT'
  | 'ERR_SHAPE_MISMATCH'
  | 'ERR_DTYPE_MISMATCH'
  | 'ERR_MODEL_PARSE'
  | 'ERR_MODEL_INVALID'
  | 'ERR_UNSUPPORTED_OP'
  | 'ERR_UNSUPPORTED_OPSET'
  | 'ERR_EXTERNAL_DATA'
  | 'ERR_ALREADY_QUANTIZED'
  | 'ERR_NOTHING_QUANTIZED'
  | 'ERR_CALIBRATION_DATA'
  | 'ERR_LIMIT'
  | 'ERR_SESSION_DISPOSED'
  | 'ERR_NATIVE_LOAD'
  | 'ERR_MISSING_DEPENDENCY'
  | 'ERR_IO'
  | 'ERR_ABORTED'
  | 'ERR_RUN'
  | 'ERR_INTERNAL'

/** Where an error happened, as far as it is known. */
export interface ErrorDetails {
  /** Name of the node in the model. */
  readonly node?: string
  /** Operator of the node, or the step that computes it. */
  readonly opType?: string
  /** Name of the tensor: an input, an output or a value of the model. */
  readonly tensor?: string
  /** The error that led to this one. */
  readonly cause?: unknown
}

/**
 * An error of Octavo: all but wrong arguments, which are a TypeError or RangeError with a `code`.
 *
 * @example
 * ```ts
 * import { InferenceSession, OctavoError } from 'octavo'
 *
 * try {
 *   await InferenceSession.create('model.onnx')
 * } catch (error) {
 *   if (!(error instanceof OctavoError)) throw error
 *   console.error(error.code, error.node, error.message)
 * }
 * ```
 */
export class OctavoError extends Error {
  /** What went wrong; the message says it in words. */
  readonly code: ErrorCode
  /** Name of the node of the model where it happened, where it was at one. */
  readonly node: string | undefined
  /** Operator of that node, or the step that computes it. */
  readonly opType: string | undefined
  /** Name of the tensor that it is about, where it is about one. */
  readonly tensor: string | undefined

  /** Made by Octavo; `details` become the properties of the same names. */
  constructor(code: ErrorCode, message: string, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause })
    this.name = 'OctavoError'
    this.code = code
    this.node = details.node
    this.opType = details.opType
    this.tensor = details.tensor
  }
}

/** TypeError with a code: an argument of the wrong kind. */
export function typeError(message: string, code: ErrorCode = 'ERR_INVALID_ARG_TYPE'): TypeError {
  return Object.assign(new TypeError(message), { code })
}

/** RangeError with a code: an argument of the right kind with an impossible value. */
export function rangeError(message: string, code: ErrorCode = 'ERR_OUT_OF_RANGE'): RangeError {
  return Object.assign(new RangeError(message), { code })
}
