/** The equation of Einsum: "ij,jk->ik", with "..." for any number of axes. */

/** A letter, or "...0", "...1"... for the axes of an ellipsis, counted from its end. */
export type Label = string

export interface Equation {
  readonly inputs: readonly (readonly Label[])[]
  readonly output: readonly Label[]
}

export function parseEquation(
  text: string,
  ranks: readonly number[],
  fail: (expected: string) => never,
): Equation {
  const compact = text.replace(/\s+/g, '')
  const [left = '', right, ...more] = compact.split('->')
  const terms = left.split(',')
  if (more.length > 0) fail(`an equation with one "->", got "${text}"`)
  if (terms.length !== ranks.length) fail(`an equation for ${ranks.length} operands, got "${text}"`)
  const inputs = terms.map((term, i) => inputLabels(term, ranks[i] as number, fail))
  const ellipsis = ellipsisLabels(
    Math.max(0, ...inputs.map((labels) => labels.filter((l) => l.startsWith('...')).length)),
  )
  const output = right === undefined ? implicitOutput(inputs, ellipsis) : outputLabels(right, ellipsis, fail)
  const known = new Set(inputs.flat())
  const unknown = output.find((label) => !known.has(label) && !label.startsWith('...'))
  if (unknown !== undefined) fail(`output labels that an operand has, got "${unknown}" in "${text}"`)
  if (new Set(output).size !== output.length) fail(`output labels that differ, got "${text}"`)
  return { inputs, output: output.filter((label) => known.has(label)) }
}

function ellipsisLabels(count: number): Label[] {
  return Array.from({ length: count }, (_, i) => `...${count - 1 - i}`)
}

function inputLabels(term: string, rank: number, fail: (expected: string) => never): Label[] {
  const letters = term.replace('...', '')
  if (!/^[A-Za-z]*$/.test(letters)) fail(`labels that are letters, got "${term}"`)
  const open = rank - letters.length
  const dots = term.indexOf('...')
  if (dots < 0 ? open !== 0 : open < 0) fail(`"${term}" to label the ${rank} axes of its operand`)
  if (dots < 0) return [...letters]
  return [...letters.slice(0, dots), ...ellipsisLabels(open), ...letters.slice(dots)]
}

function outputLabels(term: string, ellipsis: readonly Label[], fail: (expected: string) => never): Label[] {
  const letters = term.replace('...', '')
  if (!/^[A-Za-z]*$/.test(letters)) fail(`labels that are letters, got "${term}"`)
  const dots = term.indexOf('...')
  return dots < 0 ? [...letters] : [...letters.slice(0, dots), ...ellipsis, ...letters.slice(dots)]
}

/** Without "->": the ellipsis, then the letters that occur once, in the order of the alphabet. */
function implicitOutput(inputs: readonly (readonly Label[])[], ellipsis: readonly Label[]): Label[] {
  const counts = new Map<Label, number>()
  for (const label of inputs.flat()) counts.set(label, (counts.get(label) ?? 0) + 1)
  const once = [...counts].filter(([label, n]) => n === 1 && !label.startsWith('...')).map(([label]) => label)
  return [...ellipsis, ...once.sort()]
}
