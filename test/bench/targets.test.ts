import { describe, expect, it } from 'vitest'
import { script } from './module.js'

interface Evaluated {
  readonly what: string
  readonly figure: number | undefined
  readonly met: boolean | undefined
}
interface Targets {
  evaluate(results: object): Evaluated[]
}
interface Table {
  readonly title: string
  readonly head: readonly string[]
  readonly rows: readonly (readonly string[])[]
  readonly notes?: readonly (string | undefined)[]
}
interface Tables {
  summaryTable(results: object): Table
  allTables(results: object): Table[]
}
interface Renderers {
  terminal(table: Table): string
  markdown(table: Table): string
  digits(value: number | undefined): string
  percent(value: number | undefined): string
}

const { evaluate } = await script<Targets>('targets.mjs')
const { allTables, summaryTable } = await script<Tables>('tables.mjs')
const { terminal, markdown, digits, percent } = await script<Renderers>('table.mjs')

const result = (engine: string, kind: string, median: number, mode = 'runSync') => ({
  engine,
  kind,
  mode,
  by: 'octavo',
  ms: { median, q1: median, q3: median, min: median, count: 9 },
  gmacs: 1,
})
const found = (model: string, results: readonly object[], more = {}) => ({
  model,
  case: '',
  threads: 1,
  macs: 1e9,
  weights: 1e6,
  tiny: false,
  results,
  ...more,
})
const results = {
  cases: [
    found('resnet50', [
      result('octavo', 'float', 60),
      result('octavo', 'uint8', 19.9),
      result('octavo', 'int8', 20),
      result('onnxruntime', 'float', 80, 'run'),
      result('onnxruntime', 'uint8', 25, 'run'),
      result('onnxruntime', 'int8', 57, 'run'),
    ]),
    found('encoder', [result('octavo', 'uint8', 1), result('octavo', 'int8', 1)], {
      case: '1 token',
      weights: 10e6,
      stream: 12.5,
    }),
    found('mlperf-ad', [result('octavo', 'uint8', 0.01), result('octavo', 'uint8', 0.03, 'run')], {
      tiny: true,
    }),
  ],
  sessions: [
    { engine: 'octavo', model: 'a', kind: 'float', createMs: 5, residentMb: 1 },
    { engine: 'onnxruntime', model: 'a', kind: 'float', createMs: 10, residentMb: 4 },
    { engine: 'octavo', model: 'b', kind: 'float', createMs: 7, residentMb: 2 },
    { engine: 'onnxruntime', model: 'b', kind: 'float', createMs: 10, residentMb: 4 },
  ],
  scaling: [{ model: 'resnet50', one: { median: 20 }, two: { median: 11.14 }, speedup: 1.796 }],
  peaks: [],
  conversions: [],
}

describe('the table of times', () => {
  const notes = (changes: object[]) => {
    const cases = results.cases.map((c, i) => ({ ...c, ...changes[i] }))
    return allTables({ ...results, cases })
      .flatMap((t) => t.notes ?? [])
      .filter((n) => n?.includes('same kernels'))
  }

  it('says whether both activations run on the same kernels', () => {
    expect(notes([])).toEqual([])
    expect(notes([{ sameKernels: true }, { sameKernels: true }])[0]).toMatch(/noise/)
    expect(notes([{ sameKernels: true }, { sameKernels: false }])[0]).toMatch(/but for: encoder 1 token\.$/)
  })
})

describe('the table of runs in flight', () => {
  it('has a row for each number of sessions', () => {
    const row = { model: 'a', inFlight: 16, processes: 5, medianMs: 18.25, p99Ms: 22, residentMb: 30 }
    const inFlight = [
      { ...row, sessions: 1, rate: 900 },
      { ...row, sessions: 16, rate: 844 },
    ]
    const table = allTables({ ...results, inFlight }).find((t) => t.title.startsWith('Runs in flight'))
    expect(table?.rows.map((r) => r.slice(0, 4))).toEqual([
      ['a', 1, 16, '900'],
      ['', 16, 16, '844'],
    ])
    expect(table?.notes?.[0]).toMatch(/5 processes/)
  })
})

describe('the table of steps', () => {
  it('sets products beside the peak, and leaves that out where there are none', () => {
    const step = (kind: string, ms: number, macs: number) => ({
      model: 'a',
      case: '',
      kind,
      steps: 2,
      ms,
      macs,
      peak: 200,
    })
    const table = allTables({ ...results, steps: [step('Conv 1x1', 2, 300e6), step('other steps', 0.5, 0)] })
    expect(table.find((t) => t.head.includes('ms at the peak'))?.rows).toEqual([
      ['a', 'Conv 1x1', 2, '2.00', '150', '75 %', '1.50'],
      ['', 'other steps', 2, '0.500', '', '', ''],
    ])
  })
})

describe('targets', () => {
  const of = (what: string) => {
    const target = evaluate(results).find((t) => t.what.startsWith(what))
    return [target?.figure, target?.met]
  }

  it('takes the slower of our activations and the better of the other engine', () => {
    expect(of('int8 ratio, resnet50')).toEqual([0.8, true])
    expect(of('float ratio, resnet50')).toEqual([0.75, true])
    expect(of('int8 activations over uint8 ones, resnet50')).toEqual([1.01, false])
    expect(of('own float over own int8, resnet50')).toEqual([3, true])
  })

  it('says what was not measured', () => {
    expect(of('int8 ratio, mobilenetv2')).toEqual([undefined, undefined])
    expect(of('AVX2 alone: 512')).toEqual([undefined, undefined])
    expect(evaluate({ cases: [] }).every((t) => t.met === undefined)).toBe(true)
  })

  it('compares figures as they are printed', () => {
    expect(of('two threads over one, resnet50')).toEqual([1.8, true])
  })

  it('knows reading, the cost of run, and the worst session', () => {
    expect(of('encoder, 1 token: weights')).toEqual([0.8, true])
    expect(of('run over runSync')).toEqual([20, true])
    expect(of('first session')).toEqual([0.7, false])
    expect(of('resident memory')).toEqual([0.5, true])
  })
})

describe('tables', () => {
  it('has a row per variant and the target lines', () => {
    const tables = allTables({ ...results, targets: evaluate(results) })
    expect(tables.map((t) => t.title)).toEqual([
      'Times, one thread',
      'Sessions, by path, one thread',
      'Octavo against itself',
      'Targets',
    ])
    const times = tables[0]
    expect(times?.rows.length).toBe(6 + 3 + 2)
    expect(times?.rows[1]).toEqual(['', 'Octavo, runSync', 'uint8', '19.9', '± 0 %', '0.796', '1.00', ''])
    for (const table of tables) {
      expect(markdown(table).split('\n')[2]).toMatch(/^\|/)
      expect(terminal(table)).toContain(table.title)
    }
  })

  it('sums up a model in one row', () => {
    expect(summaryTable(results).rows[0]).toEqual(['resnet50', '60.0', '19.9', '80.0', '25.0', '0.800'])
  })

  it('keeps three digits', () => {
    expect([1234, 123.4, 12.34, 1.234, 0.1234, 0.01234, 0].map(digits)).toEqual([
      '1234',
      '123',
      '12.3',
      '1.23',
      '0.123',
      '0.0123',
      '0',
    ])
    expect(digits(undefined)).toBe('')
    expect(percent(0.876)).toBe('88 %')
  })
})
