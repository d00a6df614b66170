// What was counted, as text and as Markdown.
import { markdownTable } from '../document.mjs'

const HEAD = [
  'model',
  'core',
  'instructions, M',
  'cycles, M',
  'onnxruntime: instructions, M',
  'cycles, M',
  'ratio',
  'at most',
  'ideal cycles, M',
  'MAC/cycle',
  'limit',
]

export function wholeModels(rows) {
  return markdownTable(
    HEAD,
    rows.map(({ model, core, macs, limit, octavo, peer, ratio, target }) => [
      model,
      core,
      millions(octavo.instructions),
      millions(octavo.cycles),
      peer ? millions(peer.instructions) : '',
      peer ? millions(peer.cycles) : '',
      ratio === undefined ? '' : ratio.toFixed(2),
      target.toFixed(2),
      millions(macs / limit),
      (macs / octavo.cycles).toFixed(1),
      limit,
    ]),
  )
}

export function functions(rows) {
  return markdownTable(
    ['model', 'core', 'instructions, M', 'cycles, M', '% of cycles', 'function'],
    rows.flatMap(({ model, core, octavo, functions }) =>
      functions.map(({ name, instructions, cycles }) => [
        model,
        core,
        millions(instructions),
        millions(cycles),
        ((100 * cycles) / octavo.cycles).toFixed(1),
        name.length > 90 ? `${name.slice(0, 87)}...` : name,
      ]),
    ),
  )
}

export function innerLoops(rows) {
  return markdownTable(
    ['core', 'cycles of a pass', 'products', 'MAC/cycle', 'limit', '% of limit', 'function'],
    rows.map(({ core, cycles, products, limit, name }) => [
      core,
      cycles.toFixed(2),
      products,
      (products / cycles).toFixed(2),
      limit,
      ((100 * products) / cycles / limit).toFixed(1),
      name,
    ]),
  )
}

function millions(count) {
  return (count / 1e6).toFixed(1)
}
