import { mkdir, mkdtemp, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeAll, expect, test } from 'vitest'
import { readLabels } from '../../lib/data/labels.js'
import { formatNpy } from '../../lib/data/npy.js'
import { parsePreprocess } from '../../lib/data/preprocess.js'
import { type NamedSample, openData } from '../../lib/data/source.js'
import { Tensor } from '../../lib/session/tensor.js'

const inputs = [{ name: 'x', type: 'float32', shape: [1, 3] }]
let folder = ''

async function all(path: string, samples?: number): Promise<NamedSample[]> {
  const open = await openData(path, { inputs, preprocess: await parsePreprocess(''), samples })
  const list: NamedSample[] = []
  for await (const sample of open()) list.push(sample)
  return list
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'octavo-data-'))
  for (const [i, name] of ['cat', 'dog'].entries()) {
    await mkdir(join(folder, name))
    await writeFile(
      join(folder, name, 'a.npy'),
      formatNpy(new Tensor('float32', Float32Array.of(i, i, i), [1, 3])),
    )
  }
})

async function labels(source: string, names: readonly string[]) {
  const labelOf = await readLabels(source, names)
  return names.map((name, i) => labelOf(name, i))
}

test('a folder gives its files in order; labels come from folders, CSV or JSON', async () => {
  const samples = await all(folder)
  expect(samples.map((s) => s.name)).toEqual([join('cat', 'a.npy'), join('dog', 'a.npy')])
  const names = samples.map((s) => s.name)
  const byFolder = await readLabels('folders', names)
  expect(names.map((name, i) => byFolder(name, i))).toEqual([0, 1])
  const csv = join(folder, 'labels.csv')
  await writeFile(csv, `file,class\n${names[0]},7\n${names[1]},9\n`)
  expect(await labels(csv, names)).toEqual([7, 9])
  const json = join(folder, 'labels.json')
  await writeFile(json, '[3, 4]')
  expect(await labels(json, names)).toEqual([3, 4])
  await writeFile(json, '{')
  await expect(readLabels(json, names)).rejects.toMatchObject({ code: 'ERR_CALIBRATION_DATA' })
})

test('a batch in one file is many samples; --samples limits them', async () => {
  const path = join(folder, 'batch.npy')
  await writeFile(
    path,
    formatNpy(
      new Tensor(
        'float32',
        Float32Array.from({ length: 12 }, (_, i) => i),
        [4, 3],
      ),
    ),
  )
  const rows = await all(path)
  expect(rows.map((r) => Array.from(r.feeds.x?.data as Float32Array))).toEqual([
    [0, 1, 2],
    [3, 4, 5],
    [6, 7, 8],
    [9, 10, 11],
  ])
  expect((await all(path, 2)).length).toBe(2)
})

test('raw files take type and sizes of the input; modules are iterated', async () => {
  const raw = join(folder, 'x.bin')
  await writeFile(raw, new Uint8Array(Float32Array.of(1, 2, 3).buffer))
  expect((await all(raw))[0]?.feeds.x?.dims).toEqual([1, 3])
  const module = join(folder, 'data.mjs')
  await writeFile(
    module,
    'export default async function* () { for (let i = 0; ; i++) yield { x: { type: "float32", dims: [1, 3], data: new Float32Array(3).fill(i) } } }',
  )
  expect((await all(module, 3)).length).toBe(3)
})

test('a module that fails, and files that cannot be read, are named', async () => {
  const module = join(folder, 'bad.mjs')
  await writeFile(module, 'throw new Error("boom")')
  await expect(all(module)).rejects.toThrow(`'${module}': the module fails when it is loaded: boom.`)
  const gone = join(folder, 'gone.csv')
  const refused = { code: 'ERR_IO', message: `Cannot read '${gone}': there is no such file.` }
  await expect(readLabels(gone, [])).rejects.toMatchObject(refused)
  await expect(readLabels(folder, [])).rejects.toMatchObject({
    message: `Cannot read '${folder}': it is a folder.`,
  })
})

test.each(['/no/such/place', `${tmpdir()}/octavo-empty-file.xyz`])('%s has no samples', async (path) => {
  if (path.endsWith('.xyz')) await writeFile(path, '')
  await expect(all(path)).rejects.toMatchObject({ code: expect.stringMatching('ERR_') })
})
