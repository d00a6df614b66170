// Kaldi's filter bank of speech at 16 kHz: 25 ms every 10 ms, Hamming window, pre-emphasis 0.97, 80 mel bands, natural logarithm.
import { frames } from './speech.mjs'

const [RATE, LENGTH, HOP, SIZE, BANDS] = [16000, 400, 160, 512, 80]

/** An array of Float32Array(80); samples are taken as 16-bit integers, as Kaldi does. */
export function filterBank(samples) {
  const mel = (hz) => 1127 * Math.log(1 + hz / 700)
  const step = (mel(RATE / 2) - mel(20)) / (BANDS + 1)
  const weights = Array.from({ length: BANDS }, (_, b) => {
    const [left, centre, right] = [b, b + 1, b + 2].map((i) => mel(20) + i * step)
    return Float64Array.from({ length: SIZE / 2 }, (_, k) => {
      const m = mel((k * RATE) / SIZE)
      return Math.max(0, Math.min((m - left) / (centre - left), (right - m) / (right - centre)))
    })
  })
  return frames(samples, LENGTH, HOP).map((frame) => {
    const power = powerSpectrum(emphasised(frame), SIZE)
    return Float32Array.from(weights, (w) => {
      let sum = 0
      for (let k = 0; k < w.length; ++k) sum += w[k] * power[k]
      return Math.log(Math.max(sum, 1.1920929e-7))
    })
  })
}

function emphasised(frame) {
  const mean = frame.reduce((s, v) => s + v, 0) / frame.length
  return Float64Array.from(frame, (v, i) => {
    const [now, before] = [v - mean, frame[Math.max(0, i - 1)] - mean]
    const hamming = 0.54 - 0.46 * Math.cos((2 * Math.PI * i) / (frame.length - 1))
    return 32768 * (now - 0.97 * before) * hamming
  })
}

/** |X_k|² of a real signal padded with 0 to `size`, k below size / 2: radix 2. */
export function powerSpectrum(signal, size) {
  const [re, im] = [new Float64Array(size), new Float64Array(size)]
  const bits = Math.log2(size)
  for (let i = 0; i < signal.length; ++i) {
    let j = 0
    for (let b = 0; b < bits; ++b) j |= ((i >> b) & 1) << (bits - 1 - b)
    re[j] = signal[i]
  }
  for (let half = 1; half < size; half *= 2)
    for (let k = 0; k < half; ++k) {
      const [c, s] = [Math.cos((Math.PI * k) / half), -Math.sin((Math.PI * k) / half)]
      for (let a = k; a < size; a += 2 * half) {
        const b = a + half
        const [x, y] = [re[b] * c - im[b] * s, re[b] * s + im[b] * c]
        re[b] = re[a] - x
        im[b] = im[a] - y
        re[a] += x
        im[a] += y
      }
    }
  return Float64Array.from({ length: size / 2 }, (_, k) => re[k] ** 2 + im[k] ** 2)
}
