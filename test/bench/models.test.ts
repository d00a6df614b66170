import { createHash } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { script } from './module.js'

interface Model {
  readonly name: string
  readonly make?: () => Uint8Array
}
interface Models {
  readonly MODELS: readonly Model[]
}
interface Macs {
  countWork(
    path: string,
    dims: readonly number[],
  ): Promise<{ macs: number; weights: number; nodes: Map<string, { macs: number; kind: string }> }>
}

const { MODELS } = await script<Models>('models/index.mjs')
const { countWork } = await script<Macs>('macs.mjs')
const folder = mkdtempSync(join(tmpdir(), 'octavo-bench-models-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** Published for these networks: multiply-accumulates of one image, and parameters less biases. */
const KNOWN: Readonly<Record<string, readonly [macs: number, weights: number]>> = {
  resnet50: [4.09e9, 25.5e6],
  resnet18: [1.814e9, 11.68e6],
  mobilenetv2: [0.3008e9, 3.47e6],
}

describe('models of the bench', () => {
  const make = (name: string) => MODELS.find((m) => m.name === name)?.make?.() ?? new Uint8Array()

  it.each(['mobilenetv2', 'encoder'])('%s has the same bytes each time', (name) => {
    const hash = () => createHash('sha256').update(make(name)).digest('hex')
    expect(hash()).toBe(hash())
  })

  it.each(Object.entries(KNOWN))('%s has the work that is known of it', async (name, [known, parameters]) => {
    const path = join(folder, `${name}.onnx`)
    writeFileSync(path, make(name))
    const { macs, weights } = await countWork(path, [1, 3, 224, 224])
    expect(Math.abs(macs / known - 1)).toBeLessThan(0.002)
    expect(Math.abs(weights / parameters - 1)).toBeLessThan(0.002)
  })

  it('tells the nodes with products apart', async () => {
    const path = join(folder, 'kinds.onnx')
    writeFileSync(path, make('mobilenetv2'))
    const { macs, nodes } = await countWork(path, [1, 3, 224, 224])
    const all = [...nodes.values()]
    expect(all.reduce((sum, node) => sum + node.macs, 0)).toBe(macs)
    const kinds: Record<string, number> = {}
    for (const { kind } of all) kinds[kind] = (kinds[kind] ?? 0) + 1
    expect(kinds).toEqual({
      'Conv 3x3 of 3 channels': 1,
      'Conv 3x3 depthwise': 17,
      'Conv 1x1': 34,
      Gemm: 1,
    })
  })

  it('counts the products of attention by the number of tokens', async () => {
    const path = join(folder, 'encoder.onnx')
    writeFileSync(path, make('encoder'))
    const { macs, weights } = await countWork(path, [1, 16, 384])
    expect(weights).toBe(6 * (4 * 384 * 384 + 2 * 384 * 1536))
    expect(macs).toBe(16 * weights + 6 * 2 * 16 * 16 * 384)
  })
})
