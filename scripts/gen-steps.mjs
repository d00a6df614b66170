// Makes native/ops/steps.h and native/ops/steps.inc of the table of steps (lib/plan/steps/), by way of its compiled form
// in dist/. `--check` only tells whether they are stale.
import { readFileSync, writeFileSync } from 'node:fs'

const root = new URL('../', import.meta.url)
const { STEPS } = await import(new URL('dist/plan/steps/index.js', root))
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

const files = [[new URL('native/ops/steps.h', root), header()]]
const stale = files.filter(([url, text]) => {
  try {
    return readFileSync(url, 'utf8') !== text
  } catch {
    return true
  }
})
if (process.argv.includes('--check')) {
  for (const [url] of stale) console.error(`${url.pathname} is stale: run node scripts/gen-steps.mjs`)
  process.exitCode = stale.length === 0 ? 0 : 1
} else {
  for (const [url, text] of stale) writeFileSync(url, text)
}
