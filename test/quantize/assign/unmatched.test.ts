/** Parts of a recipe that are for no node are warned of; those that are for one are not. */
import { expect, test } from 'vitest'
import type { Graph } from '../../../lib/graph/graph.js'
import { warnOfUnmatched } from '../../../lib/quantize/assign/unmatched.js'
import { begun, through } from '../record.js'

const graph: Graph = {
  name: 'g',
  inputs: ['x'],
  outputs: ['z'],
  captures: [],
  constants: new Map(),
  types: new Map([['x', { dtype: 'float32', shape: [1, 4] }]]),
  nodes: [
    node('stem/relu', 'Relu', 'x', 'y'),
    { ...node('fused', 'Relu', 'y', 'z'), origin: ['head/sigmoid', 'head/mul'] },
  ],
}

function node(name: string, opType: string, input: string, output: string) {
  return { name, opType, domain: '', inputs: [input], outputs: [output], attributes: {} }
}

test('names, patterns and rules that no node fulfils', async () => {
  const done = await through(
    begun(graph, {
      exclude: ['stem/relu', 'stem/rleu', /^head/, /^tail/i],
      rules: [
        { match: { opType: 'Relu' }, exclude: true },
        { match: { opType: 'Conv', pattern: 'stem' }, exclude: true },
        { match: { node: 'head/mul' }, exclude: true },
      ],
    }),
    [warnOfUnmatched],
  )
  expect(done.warnings).toEqual([
    "exclude: no node is named 'stem/rleu'",
    'exclude: no node has a name that matches /^tail/i',
    'rules.1: no node matches {"opType":"Conv","pattern":{"pattern":"stem","flags":""}}',
  ])
})
