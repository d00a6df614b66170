import { existsSync } from 'node:fs'
import { mkdtemp, readdir, readFile, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import { octavo, writeModelAndData } from './octavo.js'

let folder = ''
const at = (name: string) => join(folder, name)

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'octavo-cli-'))
  await writeModelAndData(folder)
})

describe('usage', () => {
  test('the version is that of the package', async () => {
    const { version } = JSON.parse(
      await readFile(new URL('../../package.json', import.meta.url), 'utf8'),
    ) as { version: string }
    expect((await octavo('--version')).out.trim()).toBe(version)
  })

  test.each([
    [['nosuch'], "unknown command 'nosuch'"],
    [['inspect'], "missing required argument 'model'"],
    [['bench', 'm.onnx', '--runs', '0'], 'expected a positive integer'],
    [['quantize', 'm.onnx', '-o', 'q.onnx', '--data', 'd', '--observer', 'best'], 'Allowed choices'],
    [['quantize', 'm.onnx', '-o', 'q.onnx', '--data', 'd', '--colour', 'red'], 'unknown option'],
  ])('%j is wrong usage: exit code 2', async (args, message) => {
    const { code, err } = await octavo(...args)
    expect([code, err]).toEqual([2, expect.stringContaining(message)])
  })
})

describe('a model from float to int8', () => {
  test('quantize, explain, inspect, compare, bench, run', async () => {
    const done = await octavo(
      'quantize',
      at('model.onnx'),
      '-o',
      at('q.onnx'),
      '--data',
      at('data.npy'),
      '--json',
    )
    expect([done.code, done.err]).toEqual([0, ''])
    expect(JSON.parse(done.out)).toMatchObject({
      output: at('q.onnx'),
      recipe: { activations: { type: 'int8' } },
    })

    const explained = JSON.parse((await octavo('explain', at('q.onnx'), '--json')).out)
    expect(explained.operators.Gemm).toMatchObject({ integer: 1, float: 0 })

    const inspected = JSON.parse((await octavo('inspect', at('q.onnx'), '--json')).out)
    expect(inspected.quantized.length).toBeGreaterThan(0)

    const compared = JSON.parse(
      (
        await octavo(
          'compare',
          at('model.onnx'),
          at('q.onnx'),
          '--data',
          at('data.npy'),
          '--layers',
          '--json',
        )
      ).out,
    )
    expect(compared.samples).toBe(16)
    expect(compared.outputs[0].cosine).toBeGreaterThan(0.99)

    const timed = JSON.parse(
      (await octavo('bench', at('model.onnx'), '--vs', at('q.onnx'), '--runs', '3', '--json')).out,
    )
    expect(timed.results).toHaveLength(2)

    const ran = await octavo(
      'run',
      at('q.onnx'),
      '--input',
      `x=${at('data.npy')}`,
      '--top',
      '2',
      '--output',
      at('out'),
      '--json',
    )
    expect(JSON.parse(ran.out).outputs[0]).toMatchObject({ name: 'y', shape: [16, 4] })
    expect(existsSync(join(at('out'), 'y.npy'))).toBe(true)
  })

  test('an existing output is only replaced with --force', async () => {
    await writeFile(at('kept.onnx'), 'precious')
    const args = ['quantize', at('model.onnx'), '-o', at('kept.onnx'), '--data', at('data.npy')]
    const refused = await octavo(...args)
    expect([refused.code, refused.err]).toEqual([1, expect.stringContaining('--force')])
    expect(await readFile(at('kept.onnx'), 'utf8')).toBe('precious')
    expect((await octavo(...args, '--force')).code).toBe(0)
    expect((await readdir(folder)).filter((name) => name.includes('octavo-'))).toEqual([])
  })

  test.each([
    [
      'a quantized model',
      () => ['quantize', at('q.onnx'), '-o', at('qq.onnx'), '--data', at('data.npy')],
      'already',
    ],
    ['no such model', () => ['inspect', at('nosuch.onnx')], "doesn't exist"],
    [
      'no such data',
      () => ['quantize', at('model.onnx'), '-o', at('z.onnx'), '--data', at('nosuch')],
      'No samples',
    ],
    [
      'no such folder',
      () => ['quantize', at('model.onnx'), '-o', '/nosuch/z.onnx', '--data', at('data.npy')],
      'does not exist',
    ],
  ])('%s fails with one clear line', async (_, args, message) => {
    const { code, err } = await octavo(...args())
    expect(code).toBe(1)
    expect(err).toMatch(/^octavo: /)
    expect(err.toLowerCase()).toContain(message.toLowerCase())
  })
})
