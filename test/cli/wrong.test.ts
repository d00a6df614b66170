/** Wrong invocations: the message says what was expected and what came; exit code 2 for usage, 1 for a failed job. */
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdtemp, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { beforeAll, expect, test } from 'vitest'
import { formatNpy } from '../../lib/data/npy.js'
import { Tensor } from '../../lib/session/tensor.js'
import { modelBytes, node, value } from '../helpers/model.js'

const main = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url))
let cwd = ''

beforeAll(async () => {
  cwd = await mkdtemp(join(tmpdir(), 'octavo-wrong-'))
  const graph = (inputs: readonly string[], op: string) =>
    modelBytes({
      name: 'g',
      input: inputs.map((name) => value(name, ['N', 8])),
      output: [value('y', ['N', 8])],
      node: [node(op, [...inputs], ['y'], [], 'only')],
    })
  await writeFile(join(cwd, 'one.onnx'), graph(['x'], 'Relu'))
  await writeFile(join(cwd, 'two.onnx'), graph(['x', 'z'], 'Add'))
  await writeFile(join(cwd, 'x.npy'), formatNpy(new Tensor('float32', new Float32Array(16), [2, 8])))
})

test.each([
  [1, 'run one.onnx --input nosuch.npy', "octavo: Cannot read 'nosuch.npy': there is no such file."],
  [
    2,
    'run one.onnx --input x=one.onnx',
    "expected a .npy file or an image (jpg, png, webp, ...), got 'one.onnx'",
  ],
  [2, 'run two.onnx --input x=x.npy', "expected a file for each of the inputs x, z; got none for 'z'"],
  [2, 'run one.onnx --input x=x.npy --input x=x.npy', "expected one file for 'x', got two"],
  [2, 'run one.onnx --input x.npy --output one.onnx', "expected a folder, got the file 'one.onnx'"],
  [2, 'run one.onnx --input x.npy --preprocess fit=best', "fit: expected fill or contain, got 'best'"],
  [
    2,
    'run one.onnx --input x.npy --preprocess nosuch.json',
    "Cannot read 'nosuch.json': there is no such file.",
  ],
  [2, 'bench one.onnx --shape x=1,b', "expected 2 whole numbers for 'x' ([N, 8]), got 'x=1,b'"],
  [1, 'compare one.onnx two.onnx --data x.npy', "that the first does not have: 'z'; the first has 'x'"],
  [1, 'compare one.onnx one.onnx --data x.npy --labels nosuch.csv', "Cannot read 'nosuch.csv'"],
  [
    1,
    'compare one.onnx one.onnx --data x.npy --labels folders',
    'what --data, --preprocess and --labels take',
  ],
  [1, 'inspect x.npy', 'Expected an .onnx file'],
])('exit code %i: octavo %s', (code, line, message) => {
  const { status, stderr } = spawnSync(process.execPath, [main, ...line.split(' ')], {
    cwd,
    encoding: 'utf8',
  })
  expect([status, stderr]).toEqual([code, expect.stringContaining(message)])
  expect(stderr).not.toMatch(/ENOENT|EEXIST|\n {4}at /)
})

test('files that exist are found before the model runs', async () => {
  const run = (...more: string[]) =>
    spawnSync(process.execPath, [main, 'run', 'one.onnx', '--input', 'x.npy', '--output', 'out', ...more], {
      cwd,
      encoding: 'utf8',
    })
  expect(run().status).toBe(0)
  expect(existsSync(join(cwd, 'out', 'y.npy'))).toBe(true)
  expect([run().status, run().stderr]).toEqual([1, expect.stringContaining('--force')])
  expect(run('--force').status).toBe(0)
})
