// The tables of `npm run bench`, from what was measured.
import { OCTAVO, PEER } from './engines.mjs'
import { spread } from './statistics.mjs'
import { digits, percent } from './table.mjs'
import { title } from './targets.mjs'
import { ratio } from './times.mjs'

/** The medians alone, for a page that quotes them. */
export function summaryTable({ cases }) {
  const least = (list) => (list.length > 0 ? Math.min(...list.map((r) => r.ms.median)) : undefined)
  const rows = cases
    .filter((c) => c.threads === 1)
    .map((found) => {
      const of = (engine, isFloat) =>
        least(found.results.filter((r) => r.engine === engine && (r.kind === 'float') === isFloat))
      return [
        title(found.model, found.case),
        ...[of(OCTAVO, true), of(OCTAVO, false), of(PEER, true), of(PEER, false)].map(digits),
        digits(ratio(found, false)),
      ]
    })
  return {
    title: 'Milliseconds, one thread',
    head: ['model', 'float', 'int8', 'onnxruntime float', 'onnxruntime int8', 'int8 ratio'],
    rows,
  }
}

export function allTables(results) {
  const tables = []
  if (results.peaks.length > 0) tables.push(peaks(results))
  for (const threads of new Set(results.cases.map((c) => c.threads))) tables.push(times(results, threads))
  if (results.steps?.length > 0) tables.push(steps(results))
  if (results.sessions?.length > 0) tables.push(sessions(results))
  if (results.inFlight?.length > 0) tables.push(inFlight(results))
  if (results.scaling?.length > 0 || results.isa) tables.push(scaling(results))
  if (results.verified) tables.push(verified(results))
  if (results.targets) tables.push(targets(results))
  return tables
}

function peaks({ peaks: loops, quiet }) {
  return {
    title: 'Peak of one core',
    head: ['instruction', 'set', 'type', 'GMAC/s', 'median slice'],
    rows: loops.map((p) => [
      p.instruction,
      p.isa,
      p.float ? 'float' : 'int8',
      digits(p.peak),
      digits(p.slices.median),
    ]),
    notes: [quiet],
  }
}

function times({ cases, conversions = [] }, threads) {
  const rows = []
  for (const found of cases.filter((c) => c.threads === threads)) {
    found.results.forEach((r, i) => {
      rows.push([
        i === 0 ? title(found.model, found.case) : '',
        engineName(r),
        r.kind,
        digits(r.ms.median),
        `± ${percent(spread(r.ms))}`,
        digits(against(found, r)),
        digits(r.gmacs),
        percent(r.peak && r.gmacs / r.peak),
      ])
    })
    if (found.stream !== undefined) {
      const ms = found.weights / found.stream / 1e6
      const what = `reading ${(found.weights / 1e6).toFixed(1)} MB in order`
      rows.push(['', what, 'weights', digits(ms), '', '', `${digits(found.stream)} GB/s`, ''])
    }
  }
  const notes = [
    'The ratio is Octavo over the best of onnxruntime for float, and over the best of its int8 variants for int8.',
    ...kernelNotes(cases),
    ...conversionNotes(conversions),
  ]
  return {
    title: `Times, ${threads === 1 ? 'one thread' : `${threads} threads`}`,
    head: ['model', 'engine', 'activations', 'median ms', 'quartiles', 'ratio', 'GMAC/s', 'of peak'],
    rows,
    notes,
  }
}

/** Octavo's uint8 and int8 files against each other: what differs beside the bits that are fed is noise. */
function kernelNotes(cases) {
  const known = cases.filter((c) => c.sameKernels !== undefined)
  if (known.length === 0) return []
  const other = known.filter((c) => !c.sameKernels).map((c) => title(c.model, c.case))
  return [
    other.length === 0
      ? "Octavo runs the files of both activations on the same kernels, step for step: where their times differ, it is this machine's noise."
      : `Octavo runs the files of both activations on the same kernels, step for step, but for: ${other.join(', ')}.`,
  ]
}

/** Which files onnxruntime does not run on integers alone. */
function conversionNotes(conversions) {
  if (conversions.length === 0) return []
  const left = conversions.filter((c) => c.float > 0)
  const lines = left.map((c) => `${c.model} ${c.kind}: ${c.float} of ${c.float + c.integer}`)
  return [
    left.length === 0
      ? 'In every int8 file, onnxruntime made every Conv a QLinearConv.'
      : `onnxruntime made every Conv a QLinearConv but for these, which it leaves in float: ${[...new Set(lines)].join(', ')}.`,
  ]
}

function engineName({ engine, mode, by }) {
  if (engine === OCTAVO) return `Octavo, ${mode}`
  return by === 'octavo' ? 'onnxruntime' : 'onnxruntime, its own file'
}

function against({ results }, r) {
  if (r.engine !== OCTAVO) return undefined
  const isFloat = r.kind === 'float'
  const others = results.filter((o) => o.engine === PEER && (o.kind === 'float') === isFloat)
  return others.length > 0 ? r.ms.median / Math.min(...others.map((o) => o.ms.median)) : undefined
}

function steps({ steps: list }) {
  return {
    title: 'Steps of int8 models, one thread',
    head: ['model', 'steps', 'number', 'ms', 'GMAC/s', 'of peak', 'ms at the peak'],
    rows: list.map((s, i) => {
      const name = title(s.model, s.case)
      const isNew = i === 0 || title(list[i - 1].model, list[i - 1].case) !== name
      const rate = s.macs / s.ms / 1e6
      const products =
        s.macs > 0
          ? [digits(rate), percent(s.peak && rate / s.peak), digits(s.macs / s.peak / 1e6)]
          : ['', '', '']
      return [isNew ? name : '', s.kind, s.steps, digits(s.ms), ...products]
    }),
    notes: [
      'Sums of the least time of each step, uint8 activations. A step holds its requantization and what follows it in the file: activation, residual addition.',
    ],
  }
}

function sessions({ sessions: list }) {
  const name = (engine) => (engine === OCTAVO ? 'Octavo' : 'onnxruntime')
  return {
    title: 'Sessions, by path, one thread',
    head: [
      'model',
      'file',
      'engine',
      'import ms',
      'first create ms',
      'later ms',
      'first run ms',
      'resident MB',
      'peak MB',
    ],
    rows: list.map((s, i) => {
      const isNew = s.engine === OCTAVO && list[i - 1]?.model !== s.model
      const figures = [s.importMs, s.createMs, s.laterCreateMs, s.firstRunMs, s.residentMb, s.peakMb]
      return [isNew ? s.model : '', s.kind, name(s.engine), ...figures.map(digits)]
    }),
    notes: [
      `Medians of ${list[0].processes} processes each. Memory is what create and two runs add to a bare Node.`,
    ],
  }
}

function inFlight({ inFlight: list }) {
  return {
    title: 'Runs in flight, int8',
    head: ['model', 'sessions', 'in flight', 'runs/s', 'median ms', '99 % ms', 'resident MB'],
    rows: list.map((r, i) => [
      i === 0 ? r.model : '',
      r.sessions,
      r.inFlight,
      digits(r.rate),
      digits(r.medianMs),
      digits(r.p99Ms),
      digits(r.residentMb),
    ]),
    notes: [
      `Medians of ${list[0].processes} processes each, all cores. Memory is what sessions and runs add to a bare Node.`,
    ],
  }
}

function scaling({ scaling: list = [], isa }) {
  const rows = list.map((s) => [
    s.model,
    'int8, two threads over one',
    digits(s.one.median),
    digits(s.two.median),
    digits(s.speedup),
  ])
  if (isa)
    rows.push([
      isa.model,
      `${isa.isa} alone: int8 over float`,
      digits(isa.float.median),
      digits(isa.int8.median),
      digits(isa.float.median / isa.int8.median),
    ])
  return { title: 'Octavo against itself', head: ['model', 'what', 'ms', 'then ms', 'times faster'], rows }
}

function verified({ verified: list }) {
  return {
    title: 'Results',
    head: ['model', 'what', 'result'],
    rows: list.map((v) => [v.model, v.what, v.ok ? 'same' : `WRONG: ${v.why}`]),
  }
}

function targets({ targets: list }) {
  const verdict = (met) => (met === undefined ? 'not measured' : met ? 'met' : 'MISSED')
  return {
    title: 'Targets',
    head: ['target', 'limit', 'measured', ''],
    rows: list.map((t) => [
      t.what,
      `${t.sign} ${t.limit}`,
      t.figure === undefined ? '' : `${t.figure}${t.where ? ` (${t.where})` : ''}`,
      verdict(t.met),
    ]),
  }
}
