/** Every pass takes a graph whose ranks only feeds decide. */
import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { evaluateConstants } from '../../lib/compile/run/evaluate.js'
import { passes } from '../../lib/passes/index.js'
import { squeezing } from '../calibrate/open-graphs.js'

const folder = new URL('../../lib/passes/', import.meta.url)

describe('a graph with open ranks', () => {
  for (const { name, pass } of passes) {
    it(`goes through ${name}`, async () => {
      const graph = squeezing()
      const result = await pass(graph, { partial: true, evaluate: evaluateConstants })
      expect(result.outputs).toEqual(graph.outputs)
    })
  }

  it.each(readdirSync(folder).filter((file) => file.endsWith('.ts')))(
    '%s infers as its caller asked',
    (file) => {
      const calls = readFileSync(new URL(file, folder), 'utf8').match(/inferGraph\([^)]*\)/g) ?? []
      expect(calls.filter((call) => !/partial|options/.test(call))).toEqual([])
    },
  )
})
