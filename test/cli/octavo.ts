/** The command line as a process, and a model with data for it. */
import { spawn } from 'node:child_process'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { formatNpy } from '../../lib/data/npy.js'
import { Tensor } from '../../lib/session/tensor.js'
import { floatTensor, modelBytes, node, value } from '../helpers/model.js'

const main = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url))

export interface Result {
  readonly code: number | null
  readonly out: string
  readonly err: string
}

export function octavo(...args: string[]): Promise<Result> {
  return spawned(process.execPath, [main, ...args])
}

/** On one core, by taskset of util-linux. */
export function octavoOnOneCore(...args: string[]): Promise<Result> {
  return spawned('taskset', ['-c', '0', process.execPath, main, ...args])
}

function spawned(command: string, args: readonly string[]): Promise<Result> {
  return new Promise((resolve) => {
    const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'] })
    const text = { out: '', err: '' }
    child.stdout.on('data', (chunk) => {
      text.out += chunk
    })
    child.stderr.on('data', (chunk) => {
      text.err += chunk
    })
    child.on('close', (code) => resolve({ code, ...text }))
  })
}

/** Writes model.onnx, one Gemm with a Relu, and data.npy, 16 samples, to a folder. */
export async function writeModelAndData(folder: string): Promise<void> {
  const weights = Array.from({ length: 32 }, (_, i) => Math.sin(i))
  const model = modelBytes({
    name: 'g',
    input: [value('x', ['N', 8])],
    output: [value('y', ['N', 4])],
    initializer: [floatTensor('w', [8, 4], weights), floatTensor('b', [4], [0.1, 0.2, 0.3, 0.4])],
    node: [node('Gemm', ['x', 'w', 'b'], ['z'], [], 'product'), node('Relu', ['z'], ['y'], [], 'relu')],
  })
  await writeFile(join(folder, 'model.onnx'), model)
  const data = Float32Array.from({ length: 16 * 8 }, (_, i) => Math.cos(i * 1.7))
  await writeFile(join(folder, 'data.npy'), formatNpy(new Tensor('float32', data, [16, 8])))
}
