/** One table of cases, on Octavo and on onnxruntime-node (skipped where it is not installed). */
import { describe, expect, test } from 'vitest'
import * as octavo from '../../lib/index.js'
import { reference } from '../models/reference.js'
import type { Api, ParityCase } from './case.js'
import { runCases } from './run-cases.js'
import { sessionCases } from './session-cases.js'
import { tensorCases } from './tensor-cases.js'

const cases = [...tensorCases, ...sessionCases, ...runCases]
const ours = octavo as unknown as Api

describe('octavo', () => {
  test.each(cases)('$name', async (parityCase) => {
    const error = await check(ours, parityCase)
    if (parityCase.code !== undefined) expect(error).toHaveProperty('code', parityCase.code)
  })
})

describe.skipIf(!reference)('onnxruntime-node', () => {
  test.each(cases)('$name', async (parityCase) => {
    await check(reference as Api, parityCase)
  })
})

/** Gives the error, where one was expected. */
async function check(api: Api, { act, gives, throws }: ParityCase): Promise<unknown> {
  if (throws === undefined) {
    expect(await act(api)).toEqual(gives)
    return undefined
  }
  const error = await (async () => act(api))().then(
    (value) => expect.unreachable(`expected an error, got ${String(value)}`),
    (reason: unknown) => reason,
  )
  expect(error).toBeInstanceOf(throws[0])
  expect((error as Error).message).toMatch(throws[1])
  return error
}
