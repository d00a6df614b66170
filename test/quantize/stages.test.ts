/** How stages run: in order, each on the record of the one before, and not after an abort. */
import { expect, it } from 'vitest'
import { runStages } from '../../lib/quantize/stages.js'
import { residualNet } from './graphs.js'
import { begun } from './record.js'

const note = (text: string) => (q: ReturnType<typeof begun>) => ({ ...q, warnings: [...q.warnings, text] })

it('every method gets what the one before gave', async () => {
  const start = begun(residualNet())
  const done = await runStages(start, [
    { name: 'prepare', methods: [note('a'), note('b')] },
    { name: 'equalize', methods: [] },
    { name: 'round', methods: [async (q) => note('c')(q)] },
  ])
  expect(done.warnings).toEqual(['a', 'b', 'c'])
  expect(start.warnings).toEqual([])
})

it('an abort ends it between two methods, with the reason of the signal', async () => {
  const controller = new AbortController()
  const reason = new Error('enough')
  const start = begun(residualNet(), {}, { signal: controller.signal })
  const ran: string[] = []
  const step = (name: string) => (q: ReturnType<typeof begun>) => {
    ran.push(name)
    if (name === 'second') controller.abort(reason)
    return q
  }
  const methods = ['first', 'second', 'third'].map(step)
  await expect(runStages(start, [{ name: 'write', methods }])).rejects.toBe(reason)
  expect(ran).toEqual(['first', 'second'])
})
