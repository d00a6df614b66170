// What the engine is to reach, and what it does: each target takes its figure from what was measured. One thread unless it says
// otherwise; an int8 ratio is Octavo's median, of the slower of its two activations, over the best of onnxruntime's int8 variants.
import { OCTAVO, PEER } from './engines.mjs'
import { ratio } from './times.mjs'

const most = (limit, what, figure) => ({ what, limit, holds: (value) => value <= limit, sign: '<=', figure })
const least = (limit, what, figure) => ({ what, limit, holds: (value) => value >= limit, sign: '>=', figure })

const INT8 = [
  ['resnet50', '', 0.8],
  ['resnet18', '', 0.8],
  ['mobilenetv2', '', 0.45],
  ['efficientnet-lite0', '', 0.5],
  ['encoder', '128 tokens', 0.55],
  ['encoder', '16 tokens', 0.6],
  ['encoder', '1 token', 0.6],
]
const TINY = ['mlperf-ic', 'mlperf-kws', 'mlperf-ad']
const CASES = [...INT8.map(([model, name]) => [model, name]), ...TINY.map((model) => [model, ''])]

export const TARGETS = [
  ...INT8.map(([model, name, limit]) =>
    most(limit, `int8 ratio, ${title(model, name)}`, (r) => ratioOf(r, model, name, false)),
  ),
  ...TINY.map((model) =>
    most(0.4, `int8 ratio, ${model}, runSync`, (r) => ratioOf(r, model, '', false, 'runSync')),
  ),
  ...TINY.map((model) => most(0.6, `int8 ratio, ${model}, run`, (r) => ratioOf(r, model, '', false, 'run'))),
  least(0.7, 'encoder, 1 token: weights read, of a streaming read', streaming),
  ...CASES.map(([model, name]) =>
    most(1, `int8 activations over uint8 ones, ${title(model, name)}`, (r) => {
      const [signed, unsigned] = ['int8', 'uint8'].map((kind) => own(r, model, name, kind))
      return signed && unsigned && signed / unsigned
    }),
  ),
  ...CASES.map(([model, name]) =>
    most(1, `float ratio, ${title(model, name)}`, (r) => ratioOf(r, model, name, true)),
  ),
  ...['resnet18', 'resnet50'].map((model) =>
    least(3, `own float over own int8, ${model}`, (r) => {
      const [float, unsigned, signed] = ['float', 'uint8', 'int8'].map((kind) => own(r, model, '', kind))
      return float && float / Math.max(unsigned, signed)
    }),
  ),
  least(
    1.4,
    'AVX2 alone: own float over own int8, resnet50',
    ({ isa }) => isa && isa.float.median / isa.int8.median,
  ),
  least(75, 'AVX2 alone: 512x512x512, GMAC/s', ({ isa }) => isa?.square),
  least(1.8, 'two threads over one, resnet50', (r) => speedup(r, 'resnet50')),
  least(1.6, 'two threads over one, mobilenetv2', (r) => speedup(r, 'mobilenetv2')),
  least(1, 'two threads over one, smallest model', (r) => r.scaling && speedup(r, smallest(r)?.model)),
  most(0.6, 'first session of a process, ratio, the worst', (r) => worst(r, 'createMs')),
  most(0.3, 'later sessions, ratio, the worst', (r) => worst(r, 'laterCreateMs')),
  most(0.75, 'resident memory, growth, ratio, the worst', (r) => worst(r, 'residentMb')),
  most(0.75, 'peak memory, growth, ratio, the worst', (r) => worst(r, 'peakMb')),
  most(25, 'run over runSync, smallest model, microseconds', runCost),
]

/**
 * Every target with its figure, compared as it is printed: { what, limit, sign, figure, where?, met }; undefined: not measured.
 * A figure is a number, or a number and where it was found.
 */
export function evaluate(results, targets = TARGETS) {
  return targets.map(({ what, limit, sign, holds, figure }) => {
    const found = figure(results)
    const value = found?.value ?? found
    if (value === undefined || !Number.isFinite(value)) return { what, limit, sign }
    const rounded = Number(value.toFixed(2))
    return { what, limit, sign, figure: rounded, where: found.where, met: holds(rounded) }
  })
}

export function title(model, name) {
  return name === '' ? model : `${model} ${name}`
}

function find({ cases }, model, name) {
  return cases.find((c) => c.model === model && c.case === name && c.threads === 1)
}

function ratioOf(results, model, name, isFloat, mode) {
  const found = find(results, model, name)
  return found && ratio(found, isFloat, mode)
}

function own(results, model, name, kind, mode = 'runSync') {
  const found = find(results, model, name)?.results
  return found?.find((r) => r.engine === OCTAVO && r.kind === kind && r.mode === mode)?.ms.median
}

function streaming(results) {
  const found = find(results, 'encoder', '1 token')
  if (found?.stream === undefined) return undefined
  const ms = Math.max(own(results, 'encoder', '1 token', 'uint8'), own(results, 'encoder', '1 token', 'int8'))
  return found.weights / ms / 1e6 / found.stream
}

function speedup({ scaling = [] }, model) {
  return scaling.find((s) => s.model === model)?.speedup
}

function smallest({ cases }) {
  return cases.filter((c) => c.tiny && c.threads === 1).sort((a, b) => a.macs - b.macs)[0]
}

function runCost(results) {
  const model = smallest(results)?.model
  if (model === undefined) return undefined
  return (own(results, model, '', 'uint8', 'run') - own(results, model, '', 'uint8')) * 1000
}

/** The largest ratio of a figure over all sessions that both engines created, and whose it is. */
function worst({ sessions = [] }, key) {
  const ratios = sessions
    .filter((s) => s.engine === OCTAVO)
    .map((s) => {
      const peer = sessions.find((p) => p.engine === PEER && p.model === s.model && p.kind === s.kind)
      return { value: s[key] / peer?.[key], where: `${s.model} ${s.kind}` }
    })
    .filter(({ value }) => Number.isFinite(value))
  return ratios.sort((a, b) => b.value - a.value)[0]
}
