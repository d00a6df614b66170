/** Checks of plain data against the fields of a recipe. Errors name the option, what was expected and what came. */
import { typeError } from '../../errors.js'
import type { Field, IntegerField, LevelsField, NumberField } from './fields.js'
import type { Levels } from './types.js'

export type Plain = Readonly<Record<string, unknown>>

/** `path` is undefined at the top. */
export function fail(path: string, expected: string, received: unknown): never {
  throw typeError(`Option '${path}': expected ${expected}, received ${describe(received)}.`)
}

function describe(value: unknown): string {
  if (value === undefined) return 'undefined'
  if (typeof value === 'bigint' || typeof value === 'function' || typeof value === 'symbol')
    return typeof value
  return value instanceof RegExp ? String(value) : JSON.stringify(value)
}

/** An object with no other keys than these. */
export function checkObject(value: unknown, path: string, keys: readonly string[]): Plain {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    fail(path, 'an object', value)
  }
  for (const key of Object.keys(value)) {
    if (!keys.includes(key)) {
      throw typeError(
        `Option '${path === '' ? key : `${path}.${key}`}': there is no such option; expected one of ${keys.join(', ')}.`,
      )
    }
  }
  return value as Plain
}

/** The value of a field; undefined stays undefined. */
export function checkField(value: unknown, path: string, field: Field): unknown {
  if (value === undefined) return undefined
  switch (field.kind) {
    case 'choice':
      if (field.choices.includes(value as string)) return value
      return fail(path, `one of ${field.choices.join(', ')}`, value)
    case 'boolean':
      return typeof value === 'boolean' ? value : fail(path, 'true or false', value)
    case 'number':
      return checkNumber(value, path, field)
    case 'integer':
      return checkInteger(value, path, field)
    case 'levels':
      return checkLevels(value, path, field)
  }
}

function checkNumber(value: unknown, path: string, { above, most }: NumberField): number {
  const fits = typeof value === 'number' && value > above && value <= (most ?? Number.MAX_VALUE)
  const upTo = most === undefined ? '' : ` and up to ${most}`
  return fits ? value : fail(path, `a number above ${above}${upTo}`, value)
}

function checkInteger(value: unknown, path: string, { least, most }: IntegerField): number {
  const fits = Number.isInteger(value) && (value as number) >= least && (value as number) <= most
  return fits ? (value as number) : fail(path, `an integer from ${least} to ${most}`, value)
}

function checkLevels(value: unknown, path: string, { presets }: LevelsField): Levels {
  if (typeof value === 'string' && (presets as readonly string[]).includes(value)) return value as Levels
  const { qmin, qmax } = (typeof value === 'object' && value !== null ? value : {}) as Plain
  if (!Number.isInteger(qmin) || !Number.isInteger(qmax)) {
    return fail(path, `one of ${presets.join(', ')}, or { qmin, qmax } with two integers`, value)
  }
  checkObject(value, path, ['qmin', 'qmax'])
  return { qmin: qmin as number, qmax: qmax as number }
}

/** The fields that `value` gives, checked; without those that are undefined. */
export function checkFields(
  value: unknown,
  path: string,
  fields: Readonly<Record<string, Field>>,
): Record<string, unknown> {
  const given = checkObject(value, path, Object.keys(fields))
  const checked: Record<string, unknown> = {}
  for (const [key, field] of Object.entries(fields)) {
    const known = checkField(given[key], `${path}.${key}`, field)
    if (known !== undefined) checked[key] = known
  }
  return checked
}

/** What is given, with the defaults of the fields that it leaves out; those that have a condition, where it holds. */
export function withDefaults(
  fields: Readonly<Record<string, Field>>,
  given: Readonly<Record<string, unknown>>,
): Record<string, unknown> {
  const all = Object.fromEntries(Object.entries(fields).map(([key, field]) => [key, field.default]))
  const settings: Record<string, unknown> = { ...all, ...given }
  const wanted = Object.entries(fields).filter(
    ([key, { when }]) => key in given || when === undefined || settings[when[0]] === when[1],
  )
  return Object.fromEntries(wanted.map(([key]) => [key, settings[key]]))
}
