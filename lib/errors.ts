/**
 * Errors of Octavo. Wrong arguments are TypeError or RangeError with a `code`; all else is an OctavoError.
 * A message says what was expected, what came, and where.
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
  | 'ERR_CALIBRATION_DATA'
  | 'ERR_LIMIT'
  | 'ERR_SESSION_DISPOSED'
  | 'ERR_NATIVE_LOAD'
  | 'ERR_MISSING_DEPENDENCY'
  | 'ERR_IO'
  | 'ERR_ABORTED'
  | 'ERR_RUN'
  | 'ERR_INTERNAL'

export interface ErrorDetails {
  readonly node?: string
  readonly opType?: string
  readonly tensor?: string
  readonly cause?: unknown
}

export class OctavoError extends Error {
  readonly code: ErrorCode
  readonly node: string | undefined
  readonly opType: string | undefined
  readonly tensor: string | undefined

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
