/** Names of nodes: exact, or as patterns. */
import { typeError } from '../../errors.js'
import { checkObject, fail } from './check.js'
import type { NodePattern, Pattern } from './types.js'

/** The pattern of a RegExp, or of its source and flags; g and y, which have no meaning here, are left out. */
export function checkPattern(value: unknown, path: string): Pattern {
  if (value instanceof RegExp) return { pattern: value.source, flags: value.flags.replace(/[gy]/g, '') }
  if (typeof value === 'string') return compiled({ pattern: value, flags: '' }, path)
  if (typeof value !== 'object' || value === null) fail(path, 'a RegExp or { pattern, flags }', value)
  const { pattern, flags = '' } = checkObject(value, path, ['pattern', 'flags'])
  if (typeof pattern !== 'string') fail(`${path}.pattern`, 'the source of a regular expression', pattern)
  if (typeof flags !== 'string') fail(`${path}.flags`, 'the flags of a regular expression', flags)
  return compiled({ pattern, flags }, path)
}

/** An exact name, or a pattern. */
export function checkNodePattern(value: unknown, path: string): NodePattern {
  return typeof value === 'string' ? value : checkPattern(value, path)
}

function compiled(pattern: Pattern, path: string): Pattern {
  try {
    new RegExp(pattern.pattern, pattern.flags)
    return pattern
  } catch (cause) {
    throw typeError(
      `Option '${path}': expected a regular expression, received /${pattern.pattern}/${pattern.flags}: ${(cause as Error).message}`,
    )
  }
}

/** Whether a name is the one, or contains the pattern. */
export function nameTest(pattern: NodePattern): (name: string) => boolean {
  if (typeof pattern === 'string') return (name) => name === pattern
  const expression = new RegExp(pattern.pattern, pattern.flags.replace(/[gy]/g, ''))
  return (name) => expression.test(name)
}
