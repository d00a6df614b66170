/** Class labels of samples: a JSON object, a CSV file, or folders named by class. */
import { basename } from 'node:path'
import { OctavoError } from '../errors.js'
import { readText } from './read-file.js'

/** The class index of a sample by its name, or its place among all samples; undefined where there is none. */
export type LabelOf = (name: string, index: number) => number | undefined

/**
 * Reads labels: JSON `{ "cat.jpg": 3, ... }` or `[3, 5, ...]` in the order of the samples; CSV lines `cat.jpg,3` (a header line and
 * further columns are allowed); or `folders`, where the folder of a sample, sorted by name, is its class.
 */
export async function readLabels(source: string, names: readonly string[]): Promise<LabelOf> {
  if (source === 'folders') return fromFolders(names)
  const text = await readText(source)
  const labels = source.endsWith('.json') ? fromJson(text, source) : fromCsv(text, source)
  if (Array.isArray(labels)) return (_, index) => labels[index]
  return (name) => labels.get(name) ?? labels.get(basename(name))
}

function fromJson(text: string, source: string): Map<string, number> | number[] {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (cause) {
    throw bad(source, cause instanceof Error ? cause.message : String(cause))
  }
  if (typeof value !== 'object' || value === null) throw bad(source, 'expected an object or an array')
  if (Array.isArray(value)) return value.map((label) => classIndex(label, source))
  return new Map(Object.entries(value).map(([name, label]) => [name, classIndex(label, source)]))
}

function fromCsv(text: string, source: string): Map<string, number> {
  const rows = text
    .split(/\r?\n/)
    .filter((line) => line.trim() !== '')
    .map((line) => line.split(/[,;\t]/).map((c) => c.trim()))
  const labels = new Map<string, number>()
  rows.forEach(([name = '', ...cells], i) => {
    const label = cells.findLast((cell) => /^\d+$/.test(cell))
    if (label !== undefined) labels.set(name, Number(label))
    else if (i > 0)
      throw bad(source, `line ${i + 1}: expected 'name,class', got '${[name, ...cells].join(',')}'`)
  })
  if (labels.size === 0) throw bad(source, "expected lines of 'name,class'")
  return labels
}

function fromFolders(names: readonly string[]): LabelOf {
  const folderOf = (name: string) => name.split(/[\\/]/).at(-2)
  const classes = [...new Set(names.map(folderOf))].filter((f) => f !== undefined).sort()
  if (classes.length === 0) throw bad('folders', 'the samples are not in folders named by class')
  return (name) => {
    const index = classes.indexOf(folderOf(name) as string)
    return index < 0 ? undefined : index
  }
}

function classIndex(label: unknown, source: string): number {
  if (typeof label === 'number' && Number.isInteger(label) && label >= 0) return label
  throw bad(source, `expected class indices (integers from 0), got ${JSON.stringify(label)}`)
}

function bad(source: string, why: string): OctavoError {
  return new OctavoError('ERR_CALIBRATION_DATA', `--labels '${source}': ${why}.`)
}
