/** A smaller graph that fails as well: fewer outputs, nodes taken out one at a time. */
import { Random } from '../helpers/random.js'
import { outputsOf } from '../quantize/cases/trial.js'
import { SAMPLES, samplesSeed } from './judge.js'
import { bytesOf, pruned, type RandomGraph, type RandomNode, samplesOf } from './random-graph.js'

/** How many graphs are tried at most. */
const BUDGET = 150

export async function shrink(
  graph: RandomGraph,
  output: string | undefined,
  fails: (smaller: RandomGraph) => Promise<boolean>,
): Promise<RandomGraph> {
  let best = graph
  let left = BUDGET
  const attempt = async (candidate: RandomGraph): Promise<boolean> => {
    if (left-- <= 0 || !(await fails(candidate))) return false
    best = candidate
    return true
  }
  if (output !== undefined) await attempt(pruned({ ...graph, outputs: [output] }))
  for (let smaller = true; smaller && left > 0; ) {
    smaller = false
    for (const item of [...best.nodes].reverse()) {
      if (!best.nodes.includes(item)) continue
      for (const candidate of await without(best, item)) {
        if (candidate.nodes.length === 0 || !(await attempt(candidate))) continue
        smaller = true
        break
      }
    }
  }
  return best
}

/**
 * Graphs without a node: what reads its result reads an input of the model, or an operand of the same sizes; where it makes
 * outputs, the graph has the others, or ends a node earlier.
 */
async function without(graph: RandomGraph, item: RandomNode): Promise<RandomGraph[]> {
  const kept = graph.outputs.filter((name) => !item.outputs.includes(name))
  if (kept.length < graph.outputs.length) {
    const made = new Set(graph.nodes.flatMap((n) => n.outputs))
    const before = item.inputs.filter((name) => made.has(name))
    const ends = [kept, [...new Set([...kept, ...before])]].filter((outputs) => outputs.length > 0)
    return ends.map((outputs) => pruned({ ...graph, outputs }))
  }
  const [result, ...others] = item.outputs as [string, ...string[]]
  const dims = graph.dims.get(result) ?? []
  const operands = item.inputs.filter((name) => graph.dims.get(name)?.join() === dims.join())
  const bypassed = others.length > 0 ? [] : operands.map((name) => replaced(graph, item, name))
  return [await cutAt(graph, item), ...bypassed].map(pruned)
}

function replaced(graph: RandomGraph, item: RandomNode, by: string): RandomGraph {
  const result = item.outputs[0] as string
  const rename = (name: string) => (name === result ? by : name)
  const nodes = graph.nodes.flatMap((n) => (n === item ? [] : [{ ...n, inputs: n.inputs.map(rename) }]))
  const made = new Set(nodes.flatMap((n) => n.outputs))
  const outputs = [...new Set(graph.outputs.map(rename))].filter((name) => made.has(name))
  return { ...graph, nodes, outputs }
}

/** Inputs in place of what a node makes, which are fed what the values were. */
async function cutAt(graph: RandomGraph, item: RandomNode): Promise<RandomGraph> {
  const whole = pruned({ ...graph, outputs: item.outputs })
  const samples = samplesOf(graph, SAMPLES, new Random(samplesSeed(graph)))
  const fed = new Set(whole.inputs.map((input) => input.name))
  const feeds = samples.map((s) => Object.fromEntries(Object.entries(s).filter(([name]) => fed.has(name))))
  const values = await outputsOf(bytesOf(whole), feeds)
  const inputs = item.outputs.map((name) => {
    const recorded = (values.get(name) ?? []) as Float32Array[]
    const all = recorded.flatMap((s) => Array.from(s))
    const mean = all.reduce((sum, v) => sum + v, 0) / (all.length || 1)
    const size = Math.sqrt(all.reduce((sum, v) => sum + (v - mean) ** 2, 0) / (all.length || 1))
    return { name, dims: graph.dims.get(name) ?? [], size, mean, spread: 1, recorded }
  })
  return { ...graph, inputs: [...graph.inputs, ...inputs], nodes: graph.nodes.filter((n) => n !== item) }
}
