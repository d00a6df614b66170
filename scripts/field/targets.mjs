// What must hold over all files: { text, reached (undefined: not measured), misses: names }.
import { median, paired } from './metrics.mjs'

const COSINE = 0.98
const MEDIAN = 0.999
const PART = 0.9

/** Files whose int8 file was made and run. */
const measured = (rows) => rows.filter((r) => r.int8 && !r.int8.error)

export function targets(rows) {
  return [silent(rows), middle(rows), explained(rows), notWorse(rows)]
}

function silent(rows) {
  const misses = rows.filter((r) => r.int8 && isSilent(r)).map((r) => r.name)
  return {
    text: `no file with a cosine under ${COSINE} and no warning`,
    reached: misses.length === 0,
    misses,
  }
}

function isSilent({ int8, quantize }) {
  return quantize.warnings.length === 0 && (int8.error !== undefined || int8.cosine < COSINE)
}

function middle(rows) {
  const list = measured(rows).map((r) => r.int8.cosine)
  if (list.length === 0) return { text: `median cosine of ${MEDIAN}`, misses: [] }
  const found = median(list)
  return { text: `median cosine of ${MEDIAN}: ${found.toFixed(5)}`, reached: found >= MEDIAN, misses: [] }
}

/** A reason is measured where it names a figure. */
export const isMeasured = ({ reason }) => /\d/.test(reason)

function explained(rows) {
  const list = rows.filter((r) => r.products && !r.products.error)
  const misses = list.filter((r) => !r.products.float.every(isMeasured)).map((r) => r.name)
  const part = 1 - misses.length / list.length
  const text = `${PART * 10} of 10 files with every product integer, or a reason with a figure: ${list.length - misses.length} of ${list.length}`
  return { text, reached: list.length === 0 ? undefined : part >= PART, misses }
}

/** The difference of a file to onnxruntime's quantizer, in dB per sample. */
export function against({ int8, theirs }) {
  if (!int8?.perSample || !theirs?.perSample || isFloat(theirs)) return undefined
  return paired(int8.perSample, theirs.perSample)
}

/** A file that gives just what the float model gives: its quantizer left all of it in float. */
const isFloat = ({ sqnr }) => sqnr === Number.POSITIVE_INFINITY

function notWorse(rows) {
  const list = rows.flatMap((r) => {
    const found = against(r)
    return found ? [{ name: r.name, ...found }] : []
  })
  const misses = list.filter(({ mean, error }) => mean < -error).map((r) => r.name)
  const left = rows.filter((r) => r.theirs?.perSample && isFloat(r.theirs)).length
  const rest = left === 0 ? '' : `; ${left} that it left in float are not compared`
  const text = `never worse than onnxruntime's quantizer by more than the standard error: ${list.length - misses.length} of ${list.length}${rest}`
  return { text, reached: list.length === 0 ? undefined : misses.length === 0, misses }
}
