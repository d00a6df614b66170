// Makes native/ops/steps.h, native/ops/steps.inc and the tables of docs/steps.md of the table of steps (lib/plan/steps/), by way of its compiled form
// in dist/. `--check` only tells whether they are stale.
import { readFileSync } from 'node:fs'
import { writeOrCheck } from './generated.mjs'

const root = new URL('../', import.meta.url)
const { STEPS } = await import(new URL('dist/plan/steps/index.js', root))
const { TYPES } = await import(new URL('dist/plan/steps/types.js', root))
const { inputSlots, outputSlots } = await import(new URL('dist/plan/slots.js', root))

const MADE = '// Generated from lib/plan/steps/ by scripts/gen-steps.mjs.'

/** x_scale: XScale. */
const camel = (name) => name.replace(/(^|_)(\w)/g, (_, __, letter) => letter.toUpperCase())

/** Positions of the inputs and outputs of every step. Of an operand that repeats: those of the first. */
function header() {
  const lines = [
    MADE,
    '// clang-format off',
    '// Positions of the inputs (kX, kXScale, kXZp) and outputs (kYOut) of every step: step::QConv::kResidual.',
    '#pragma once',
    '',
    'namespace octavo::step {',
  ]
  for (const [name, spec] of Object.entries(STEPS)) {
    const inputs = inputSlots(spec).map((slot) => `k${camel(slot.name)}`)
    const outputs = outputSlots(spec).map((slot) => `k${camel(slot.name)}Out`)
    lines.push('', `struct ${name} {`)
    if (inputs.length > 0) lines.push(`  enum Input : int { ${inputs.join(', ')} };`)
    lines.push(`  enum Output : int { ${outputs.join(', ')} };`, '};')
  }
  lines.push('', '}  // namespace octavo::step')
  return `${lines.join('\n')}\n`
}

const dtypeName = (dtype) => `DType::k${dtype[0].toUpperCase()}${dtype.slice(1)}`

/** What check_step.cc checks every step against. */
function checks() {
  const lines = [MADE, '// clang-format off', '']
  for (const [name, types] of Object.entries(TYPES)) {
    lines.push(
      `constexpr uint32_t kTypes${camel(name)} = ${types.map((t) => `bit(${dtypeName(t)})`).join(' | ')};`,
    )
  }
  const rows = []
  for (const [name, spec] of Object.entries(STEPS).sort(([a], [b]) => (a < b ? -1 : 1))) {
    const inputs = inputSlots(spec)
    const parts = [inputs, outputSlots(spec)].map((slots, side) => {
      const array = `k${name}${side === 0 ? 'Inputs' : 'Outputs'}`
      if (slots.length > 0) {
        lines.push(
          '',
          `constexpr Slot ${array}[] = {`,
          ...slots.map((slot) => `  ${slotText(slot, inputs)},`),
          '};',
        )
      }
      const repeated = slots.filter((slot) => slot.repeats).length
      return `${slots.length > 0 ? array : 'nullptr'}, ${slots.length}, ${repeated}`
    })
    rows.push(`  {"${name}", {${parts[0]}}, {${parts[1]}}},`)
  }
  lines.push('', '// By name, for a binary search.', 'constexpr Step kSteps[] = {', ...rows, '};')
  return `${lines.join('\n')}\n`
}

function slotText({ name, types, optional, rank, like }, inputs) {
  const [least, most] = rank === undefined ? [0, 'kMaxRank'] : typeof rank === 'number' ? [rank, rank] : rank
  const likeIndex = like === undefined ? -1 : inputs.findIndex((slot) => slot.name === like)
  return `{"${name}", kTypes${camel(types)}, ${least}, ${most}, ${likeIndex}, ${optional}}`
}

/** Steps of each table of docs/steps.md, by the name between the markers. */
const { productSteps } = await import(new URL('dist/plan/steps/products.js', root))
const { integerSteps } = await import(new URL('dist/plan/steps/integer.js', root))
const { floatSteps, normSteps } = await import(new URL('dist/plan/steps/float.js', root))
const { imageSteps } = await import(new URL('dist/plan/steps/images.js', root))
const { attentionSteps } = await import(new URL('dist/plan/steps/attention.js', root))
const { makerSteps, moverSteps } = await import(new URL('dist/plan/steps/movers.js', root))
const { controlSteps } = await import(new URL('dist/plan/steps/control.js', root))
const { observerSteps } = await import(new URL('dist/plan/steps/observers.js', root))
const TABLES = {
  integer: { ...productSteps, ...integerSteps },
  float: { ...floatSteps, ...normSteps, ...imageSteps },
  movers: { ...moverSteps, ...makerSteps },
  attention: attentionSteps,
  control: controlSteps,
  observers: observerSteps,
}

function operandText(slot, slots) {
  const mark = slot.optional ? '?' : ''
  // Scales and zero points go without saying: a scale is f32, a zero point has the type of its tensor.
  const isParameter = /_(scale|zp)$/.test(slot.name)
  const type = isParameter ? '' : slot.like ? ` as ${slot.like}` : ` ${slot.types}`
  const note = slot.note ? ` (${slot.note})` : ''
  const last = slot.repeats && slot === slots[slots.length - 1] ? ' ...' : ''
  return `${slot.name}${mark}${type}${note}${last}`.replaceAll('|', '\\|')
}

function attributeText([name, { type, symbolic, required, values, default: absent }]) {
  const marks = `${symbolic ? '\\*' : ''}${required ? '' : '?'}`
  const said = values ? `: ${values.map((v) => `\`${v}\``).join(' ')}` : type === 'int' ? '' : ` ${type}`
  return `\`${name}\`${marks}${said}${absent === undefined ? '' : ` (${absent})`}`
}

function table(steps) {
  const rows = Object.entries(steps).map(([name, spec]) => {
    const [inputs, outputs] = [inputSlots(spec), outputSlots(spec)].map((slots) =>
      slots.map((slot) => operandText(slot, slots)).join(', '),
    )
    const attributes = Object.entries(spec.attributes).map(attributeText).join(', ')
    return `| \`${name}\` | ${inputs} | ${attributes} | ${outputs} |`
  })
  return ['| step | inputs | attributes | outputs |', '|---|---|---|---|', ...rows].join('\n')
}

function typeTable() {
  const rows = Object.entries(TYPES).map(([name, types]) => `| ${name} | ${types.join(', ')} |`)
  return ['| in the tables | element types |', '|---|---|', ...rows].join('\n')
}

/** The page with what stands between `<!-- steps: name -->` and `<!-- end -->` made anew. */
function page() {
  const text = readFileSync(new URL('docs/steps.md', root), 'utf8')
  return text.replace(/(<!-- steps: (\w+) -->\n)[\s\S]*?(\n<!-- end -->)/g, (_, begin, name, end) => {
    return begin + (name === 'types' ? typeTable() : table(TABLES[name])) + end
  })
}

const files = [
  [new URL('docs/steps.md', root), page()],
  [new URL('native/ops/steps.h', root), header()],
  [new URL('native/ops/steps.inc', root), checks()],
]
writeOrCheck(files, 'node scripts/gen-steps.mjs')
