// What was measured, as tables { title, head, rows, notes } for a terminal and for a document.
import { digits } from '../bench/table.mjs'
import { against, isMeasured } from './targets.mjs'

const megabytes = (bytes) => digits(bytes / 1e6)
const number = (value) => (typeof value === 'string' ? Number(value) : value)

export function tables(rows) {
  return [summary(rows), files(rows), inputs(rows)]
}

function summary(rows) {
  return {
    title: 'Quality',
    head: [
      'model',
      'domain',
      'float: dB to onnxruntime',
      'int8: cosine',
      'int8: dB',
      'same file in onnxruntime: dB',
      "onnxruntime's quantizer: dB",
      'difference per sample',
      'products in integer',
      'warnings',
    ],
    rows: rows.map((r) => [
      r.name,
      r.domain,
      r.float?.error ?? r.float?.peerError ?? decibels(r.float?.sqnr),
      r.refused ?? r.int8?.error ?? r.int8?.cosine.toFixed(5) ?? '',
      r.int8?.error ? '' : decibels(r.int8?.sqnr),
      r.peer?.error ?? decibels(r.peer?.float?.sqnr),
      r.theirs?.error ? 'failed' : decibels(r.theirs?.sqnr),
      difference(r),
      productsOf(r),
      r.quantize ? String(r.quantize.warnings.length) : '',
    ]),
    notes: [
      'Cosine and dB (signal to quantization noise) are of the worst float output, all test inputs as one vector, against the float model. ' +
        'The difference is the mean over the test inputs of the dB of their outputs, ours less theirs, with its standard error. ' +
        'Products are Conv, ConvTranspose, Gemm, MatMul and recurrent layers; in brackets those in float, and how many of these have a reason with a figure.',
    ],
  }
}

function files(rows) {
  return {
    title: 'Files and cost',
    head: [
      'model',
      'package',
      'MB',
      'int8 MB',
      "onnxruntime's MB",
      'quantize s',
      'quantize MB of memory',
      'calibration, test inputs',
    ],
    rows: rows.map((r) => [
      r.name,
      r.package,
      r.bytes ? megabytes(r.bytes) : '',
      r.quantize ? megabytes(r.quantize.bytes) : '',
      r.theirs?.bytes ? megabytes(r.theirs.bytes) : '',
      r.quantize ? digits(r.quantize.seconds) : '',
      r.quantize?.peakMb === undefined ? '' : digits(r.quantize.peakMb),
      r.samples ? `${r.samples.calibration}, ${r.samples.test}` : '',
    ]),
  }
}

function inputs(rows) {
  return {
    title: 'How inputs were made',
    head: ['model', 'inputs', 'data'],
    rows: rows.map((r) => [r.name, r.how, r.data.join(', ')]),
    notes: [
      'Calibration and test inputs come from different photos, sentences and seconds of speech, or from different seeds.',
    ],
  }
}

function decibels(value) {
  const found = number(value)
  if (found === undefined || Number.isNaN(found)) return ''
  return found === Infinity ? 'equal' : found === -Infinity ? 'not finite' : found.toFixed(1)
}

function difference(row) {
  const found = against(row)
  if (!found) return ''
  return `${found.mean < 0 ? '' : '+'}${found.mean.toFixed(1)} ± ${found.error.toFixed(1)}`
}

function productsOf({ products }) {
  if (!products) return ''
  if (products.error) return products.error
  const { integer, float } = products
  const all = integer + float.length
  if (float.length === 0) return `${integer} of ${all}`
  return `${integer} of ${all} (${float.length}, ${float.filter(isMeasured).length})`
}

/** The targets, and which files miss them. */
export function targetLines(list) {
  return list.map(({ text, reached, misses }) => {
    const state = reached === undefined ? 'not measured' : reached ? 'reached' : 'missed'
    return `${state}: ${text}${misses.length > 0 ? ` (missed by ${misses.join(', ')})` : ''}`
  })
}
