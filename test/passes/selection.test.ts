import { describe, expect, it } from 'vitest'
import { OctavoError } from '../../lib/errors.js'
import type { Graph } from '../../lib/graph/graph.js'
import { verifyPass } from '../../lib/graph/verify-pass.js'
import { checkGraphPass } from '../../lib/passes/check.js'
import { passes, prepareGraph, selectedPasses } from '../../lib/passes/index.js'
import { constant, f32, graph, node } from '../ops/graphs.js'

const evaluate = async () => {
  throw new Error('nothing to compute')
}

const names = (list: typeof passes) => list.map((entry) => entry.name)

describe('selectedPasses', () => {
  it('is every pass without a selection', () => {
    expect(selectedPasses()).toBe(passes)
    expect(selectedPasses('all')).toBe(passes)
  })

  it('has what a graph needs to run, in the order of the list', () => {
    expect(names(selectedPasses('required'))).toEqual(['scanToLoop', 'widenFloat16', 'foldConstants'])
  })

  it('makes no levels of what is quantized after it', () => {
    const float = names(selectedPasses('float'))
    expect(float).toEqual(names(passes).filter((name) => name !== 'recogniseSigns'))
    expect(float.length).toBe(passes.length - 1)
  })

  it('leaves out what merges weights, for training', () => {
    const training = names(selectedPasses('training'))
    expect(training).not.toContain('foldScale')
    expect(training).not.toContain('removeNoOps')
    expect(training).toContain('recogniseGelu')
  })
})

const normalised = graph({
  inputs: { x: f32(1, 2, 4, 4) },
  constants: {
    w: constant(Array<number>(8).fill(1), [4, 2, 1, 1], 'float32'),
    k: constant([1, 2, 3, 4], [4], 'float32'),
  },
  nodes: [
    node('Conv', ['x', 'w'], ['c']),
    node('BatchNormalization', ['c', 'k', 'k', 'k', 'k'], ['n']),
    node('Relu', ['n'], ['y']),
  ],
  outputs: ['y'],
})

describe('prepareGraph', () => {
  it('keeps weights and normalization apart where weights will change', async () => {
    const prepared = await prepareGraph(normalised, { evaluate, selection: 'training' })
    expect(prepared.nodes.map((n) => n.opType)).toEqual(['Conv', 'BatchNormalization', 'Relu'])
    expect([...prepared.constants.keys()]).toEqual(['w', 'k'])
  })

  it('stops where it is aborted', async () => {
    const signal = AbortSignal.abort()
    await expect(prepareGraph(normalised, { evaluate, signal })).rejects.toThrow(/abort/i)
  })
})

describe('checkGraphPass', () => {
  const broken: Graph = { ...normalised, nodes: normalised.nodes.slice(1) }

  it('names the pass and shows the graph before and after', () => {
    const check = () => checkGraphPass('dropFirst', normalised, broken)
    expect(check).toThrow(OctavoError)
    expect(check).toThrow(/^Pass dropFirst: The graph is not valid:\n {2}Node "BatchNormalization_n"/)
    expect(check).toThrow(
      /Before dropFirst:\ngraph test[\s\S]*Conv\(x, w\)[\s\S]*After dropFirst:\ngraph test/,
    )
  })

  it('wants the inputs and outputs that the graph had', () => {
    const other = new Map([...normalised.types, ['x', f32(1, 2, 8, 8)] as const])
    expect(() => checkGraphPass('resize', normalised, { ...normalised, types: other })).toThrow(
      'Pass resize: The inputs of the graph are others: expected (x: float32[1, 2, 4, 4]), got (x: float32[1, 2, 8, 8])',
    )
    expect(() => checkGraphPass('more', normalised, { ...normalised, outputs: ['y', 'n'] })).toThrow(
      'The outputs of the graph are others: expected (y), got (y, n)',
    )
  })

  it('says nothing of a valid graph, nor of one that the pass left alone', () => {
    checkGraphPass('none', normalised, { ...normalised })
    checkGraphPass('none', broken, broken)
  })

  it('says what a verifier throws that is no OctavoError', () => {
    const verify = () => {
      throw new TypeError('odd')
    }
    expect(() => verifyPass('p', 1, 2, { verify, print: String })).toThrow(
      'Pass p: odd\nBefore p:\n1\nAfter p:\n2',
    )
  })
})
