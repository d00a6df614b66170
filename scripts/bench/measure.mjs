// Interleaved timing: in each round every entry gives one sample, so that all see the same noise of the machine. Runs that are not timed
// go before each sample: it finds the caches as they are where one model runs again and again, not as the neighbour left them.
import { summary } from './statistics.mjs'

/** A sample is the mean of so many runs that it takes at least this: timers and awaits cost below a microsecond. */
const SAMPLE_MS = 0.5
const PAUSE_MS = 10
/** Of such runs, at least one: on Zen 4 weights of 10 MB are at home in the third level after the eighth run of 0.3 ms, not after the first. */
const WARM_MS = 3

/**
 * entries: { run, isSync }. Rounds go on until `seconds` are over and `rounds` were made, at most `most`. between: called
 * now and then, outside of what is timed. Threads other than the caller's may spin for a while after a run: with `pauses` they get time to stop.
 */
export async function interleave(
  entries,
  { seconds, rounds = 15, most = 2000, between, pauses = false, warmMs = WARM_MS },
) {
  const repeats = []
  for (const entry of entries) repeats.push(await calibrate(entry, warmMs))
  const times = entries.map(() => [])
  const started = performance.now()
  let paused = started
  for (let round = 0; round < most; ++round) {
    const elapsed = performance.now() - started
    if (round >= rounds && elapsed >= seconds * 1000) break
    // Another one is first each time, and every second round goes backwards: none always follows the same neighbour.
    for (let i = 0; i < entries.length; ++i) {
      const next = (i + round) % entries.length
      const k = round % 2 === 0 ? next : entries.length - 1 - next
      if (pauses) await new Promise((resolve) => setTimeout(resolve, PAUSE_MS))
      await warm(entries[k], warmMs)
      times[k].push(await sample(entries[k], repeats[k]))
    }
    if (between && performance.now() - paused > 1000) {
      await between()
      paused = performance.now()
    }
  }
  return times.map(summary)
}

async function warm({ run }, ms) {
  const started = performance.now()
  do await run()
  while (performance.now() - started < ms)
}

/** How many runs make a sample. */
async function calibrate(entry, warmMs) {
  await entry.run()
  await warm(entry, warmMs)
  let repeats = 1
  while (repeats < 4096 && (await sample(entry, repeats)) * repeats < SAMPLE_MS) repeats *= 2
  return repeats
}

/** Milliseconds of one run. */
async function sample({ run, isSync }, repeats) {
  const started = performance.now()
  if (isSync) for (let i = 0; i < repeats; ++i) run()
  else for (let i = 0; i < repeats; ++i) await run()
  return (performance.now() - started) / repeats
}
