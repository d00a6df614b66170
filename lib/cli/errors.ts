/** A failure as one line, and what to do about it. */

const HINTS: Readonly<Record<string, string>> = {
  ERR_ALREADY_QUANTIZED: 'Quantize the float model it was made from.',
  ERR_CALIBRATION_DATA: 'docs/preprocess.md says what --data, --preprocess and --labels take.',
  ERR_NOTHING_QUANTIZED:
    '`octavo explain MODEL` shows the steps of the float model; --force writes the file.',
  ERR_MISSING_INPUT: '`octavo inspect MODEL` lists the inputs.',
  ERR_NATIVE_LOAD: '`octavo doctor` shows what this machine has.',
  ERR_MODEL_PARSE: 'Expected an .onnx file. A file of Git LFS may not have been fetched (`git lfs pull`).',
  ERR_SHAPE_MISMATCH: '`octavo inspect MODEL` shows the sizes of the inputs.',
  ERR_UNSUPPORTED_OP: 'docs/conformance.md lists what Octavo does not have.',
}

/** Prints the error; the exit code: 1 for a failed job, 2 for arguments that cannot be used. */
export function reportError(error: unknown, verbose: boolean): 1 | 2 {
  if (isAbort(error)) {
    process.stderr.write('octavo: stopped; nothing was written.\n')
    return 1
  }
  const { message, code, stack } = describe(error)
  process.stderr.write(`octavo: ${message}\n`)
  const hint = HINTS[code]
  if (hint) process.stderr.write(`  ${hint}\n`)
  if (verbose && stack) process.stderr.write(`${stack}\n`)
  const usage = code === 'ERR_INVALID_ARG_TYPE' || code === 'ERR_OUT_OF_RANGE'
  return usage ? 2 : 1
}

function isAbort(error: unknown): boolean {
  return (
    error instanceof Error &&
    (error.name === 'AbortError' || (error as { code?: string }).code === 'ERR_ABORTED')
  )
}

function describe(error: unknown): { message: string; code: string; stack?: string } {
  if (!(error instanceof Error)) return { message: String(error), code: '' }
  const { code } = error as { code?: unknown }
  return { message: error.message, code: typeof code === 'string' ? code : '', stack: error.stack }
}
