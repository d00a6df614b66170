// Many runs in flight, as a server has them: all of one session, and a session for each. Each measurement has a process of its
// own; the two take turns.
import { inChild } from './processes.mjs'
import { median } from './statistics.mjs'
import { octavoFile } from './store.mjs'

const IN_FLIGHT = 16

/** [{ model, sessions, inFlight, processes, rate, medianMs, p99Ms, residentMb }], medians of the processes. */
export async function timeInFlight(model, { seconds, processes }) {
  const [dims] = Object.values(model.cases)
  const path = await octavoFile(model, 'uint8')
  const counts = [1, IN_FLIGHT]
  const samples = counts.map(() => [])
  for (let i = 0; i < processes; ++i)
    for (const [j, sessions] of counts.entries())
      samples[j].push(await inChild({ kind: 'inFlight', path, dims, sessions, inFlight: IN_FLIGHT, seconds }))
  return counts.map((sessions, j) => {
    const middle = (key) =>
      samples[j][0][key] === undefined ? undefined : median(samples[j].map((s) => s[key]))
    const figures = Object.fromEntries(
      ['rate', 'medianMs', 'p99Ms', 'residentMb'].map((key) => [key, middle(key)]),
    )
    return { model: model.name, sessions, inFlight: IN_FLIGHT, processes, ...figures }
  })
}
