// Signals for which no package ships a recording: drawn, with the shape that the real ones have.
import { seeded } from '../random.mjs'
import { powerSpectrum } from './filterbank.mjs'

const seedOf = (half) => (half === 'calibration' ? 31 : 32)

/**
 * Traffic lights at one second: detectors that open when a car waits or passes, a cycle of green, yellow, red for a phase and its
 * partner, calls. Float32Array(15 * seconds) each, channels as the detector's code orders them.
 */
export function trafficPairs(half, count, seconds) {
  const random = seeded(seedOf(half))
  return Array.from({ length: count }, () => {
    const data = new Float32Array(15 * seconds)
    const set = (channel, t, value) => {
      if (t >= 0 && t < seconds) data[channel * seconds + t] = value
    }
    const cycle = 60 + random.below(60)
    const green = Math.round(cycle * random.between(0.2, 0.6))
    const [offset, busy] = [random.below(cycle), random.between(0.02, 0.4)]
    let waiting = 0
    for (let t = 0; t < seconds; ++t) {
      const at = (t + offset) % cycle
      const isGreen = at < green
      const arrives = random.next() < busy
      waiting = isGreen ? Math.max(0, waiting - 1) : waiting + (arrives ? 1 : 0)
      const occupied = waiting > 0 ? 1 : arrives ? random.between(0.2, 0.9) : 0
      const before = t > 0 ? data[t - 1] : 0
      set(0, t, occupied)
      set(1, t, arrives ? random.pick([0.5, 0.5, 1]) : 0)
      set(2, t, isGreen ? 1 : 0)
      set(3, t, at >= green && at < green + 4 ? 1 : 0)
      set(4, t, at >= green + 4 && at < green + 6 ? 1 : 0)
      set(5, t, waiting > 0 && !isGreen ? 1 : 0)
      set(6, t, random.pick([0.5, 1]) * (isGreen ? 1 : 0.5))
      set(7, t, random.between(0, 0.6))
      set(8, t, 1)
      if (occupied > 0 && before === 0) set(9, t, random.between(0.3, 1))
      if (occupied === 0 && before > 0) set(10, t, random.between(0.3, 1))
      if (waiting === 1 && !isGreen) set(11, t, 1)
      if (isGreen && at === 1) set(12, t, 1)
      set(13, t, isGreen ? 1 : 0)
      set(14, t, waiting > 0 && random.next() < 0.7 ? 1 : 0)
    }
    return data
  })
}

/**
 * Spectrograms of an electroencephalogram at 250 Hz: 1/f noise, and in half of them spikes and waves at 3 to 8 Hz that grow.
 * One second every half, the bins of 0 to 99 Hz by log power, each bin standardised. Float32Array(100 * steps).
 */
export function encephalograms(half, count, steps) {
  const random = seeded(seedOf(half))
  return Array.from({ length: count }, (_, i) => {
    const signal = brainSignal(random, 125 * (steps + 1), i % 2 === 1)
    const bins = Array.from({ length: 100 }, () => new Float64Array(steps))
    for (let t = 0; t < steps; ++t) {
      // 256 points for 250 samples: bins of 0.98 Hz.
      const power = powerSpectrum(signal.subarray(t * 125, t * 125 + 250), 256)
      for (let f = 0; f < 100; ++f) bins[f][t] = Math.log(power[f] + 1e-9)
    }
    return Float32Array.from(bins.flatMap((row) => [...standardised(row)]))
  })
}

function brainSignal(random, length, hasSeizure) {
  const signal = new Float64Array(length)
  const slow = [0, 0, 0]
  const [hz, start] = [random.between(3, 8), random.between(0.3, 0.6) * length]
  for (let i = 0; i < length; ++i) {
    ;[0.9, 0.99, 0.999].forEach((keep, k) => {
      slow[k] = keep * slow[k] + random.normal() * Math.sqrt(1 - keep * keep)
    })
    signal[i] = 0.3 * random.normal() + slow[0] + 2 * slow[1] + 3 * slow[2]
    if (hasSeizure && i > start) {
      const phase = (((i - start) / 250) * hz) % 1
      signal[i] += 8 * Math.min(1, (i - start) / 2500) * (phase < 0.15 ? 1 : -0.3 * Math.sin(Math.PI * phase))
    }
  }
  return signal
}

function standardised(row) {
  const mean = row.reduce((s, v) => s + v, 0) / row.length
  const deviation = Math.sqrt(row.reduce((s, v) => s + (v - mean) ** 2, 0) / row.length) || 1
  return row.map((v) => (v - mean) / deviation)
}
