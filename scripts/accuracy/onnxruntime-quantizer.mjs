// onnxruntime's own static quantizer in Python (OCTAVO_PYTHON, else python3). For comparison only.
import { execFile, spawnSync } from 'node:child_process'
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const python = process.env.OCTAVO_PYTHON ?? 'python3'
const script = fileURLToPath(new URL('onnxruntime_quantize.py', import.meta.url))

/** The version of the Python package, or undefined where it is absent. */
export function onnxruntimeQuantizer() {
  const code = 'import onnx, onnxruntime, onnxruntime.quantization; print(onnxruntime.__version__)'
  const { status, stdout } = spawnSync(python, ['-c', code], { encoding: 'utf8' })
  if (status !== 0) return undefined
  return { version: stdout.trim(), quantize, quantizeFeeds }
}

/**
 * The bytes of the quantized model. calibration: functions that make a float32 sample { dims, data } of the one input; settings:
 * arguments of quantize_static that differ from its defaults, types as 'QInt8'.
 */
function quantize(model, input, calibration, settings = {}) {
  const feeds = function* () {
    for (const make of calibration) yield { [input]: { type: 'float32', ...make() } }
  }
  return quantizeFeeds(model, feeds(), settings)
}

/** The same of feeds: tensors { type, dims, data } by the name of the input. */
async function quantizeFeeds(model, feeds, settings = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'octavo-accuracy-'))
  try {
    const out = join(folder, 'int8.onnx')
    const samples = []
    const fd = openSync(join(folder, 'samples.bin'), 'w')
    for (const tensors of feeds)
      samples.push(
        Object.entries(tensors).map(([name, { type, dims, data }]) => {
          writeSync(fd, new Uint8Array(data.buffer, data.byteOffset, data.byteLength))
          return { name, type, dims }
        }),
      )
    closeSync(fd)
    writeFileSync(join(folder, 'samples.json'), JSON.stringify({ samples, settings }))
    await promisify(execFile)(python, [script, model, folder, out], { maxBuffer: 2 ** 26 })
    return new Uint8Array(readFileSync(out))
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
