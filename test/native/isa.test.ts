import { spawnSync } from 'node:child_process'
import { expect, test } from 'vitest'
import { binding } from '../../lib/native/load.js'

test('what is generated from isa.json is up to date', () => {
  const { status, stderr } = spawnSync(process.execPath, ['scripts/gen-isa.mjs', '--check'], {
    encoding: 'utf8',
  })
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
})

test('the addon says which instruction sets it has, and chose one of them', () => {
  const { isas, isa, activations, cores, compiler, version } = binding()
  expect(isas.at(-1)).toEqual({ name: 'scalar', compiled: true, supported: true, reason: '' })
  expect(isas.find(({ name }) => name === isa)).toMatchObject({ supported: true })
  for (const { compiled, supported, reason } of isas) expect(reason === '').toBe(compiled && supported)
  expect(['int8', 'uint8']).toContain(activations)
  expect(cores).toBeGreaterThan(0)
  expect(compiler).toMatch(/^(gcc|clang) \d/)
  expect(version).toMatch(/^\d+\.\d+\.\d+/)
})
