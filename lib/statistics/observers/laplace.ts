/**
 * The clip of least expected squared error, were the values drawn from a Laplace distribution around their mean (ACIQ: Banner,
 * Nahshan and Soudry 2019, Post-training 4-bit quantization of convolutional networks for rapid-deployment, section 3): with
 * b = E|x - mean| and L levels, rounding costs a^2 / (3 L^2) and clipping at mean -+ a costs 2 b^2 exp(-a/b), so a/b solves
 * t exp(t) = 3 L^2 (9.9 for 8 bits, 5.0 for 4). Values of one sign (after a Relu) are taken as exponential from 0 on, with the
 * mean of what is not (nearly) zero as b: their levels are twice as dense, and t exp(t) = 12 L^2.
 */
import { levelsOf } from '../../graph/format.js'
import type { Histogram } from '../record.js'
import { meanOf } from '../summary.js'
import { observer } from './observer.js'

export const laplace = observer({
  needs: () => [{ kind: 'histogram' }],
  range({ histogram }, { format }) {
    const { min, max } = histogram
    const levels = levelsOf(format)
    if (min >= 0 || max <= 0) {
      const reach = lambertW(12 * levels ** 2) * meanDistance(histogram, 0, 1)
      return min >= 0
        ? [min, Math.max(min, Math.min(max, reach))]
        : [Math.min(max, Math.max(min, -reach)), max]
    }
    const mean = meanOf(histogram)
    const reach = lambertW(3 * levels ** 2) * meanDistance(histogram, mean, 0)
    return [Math.max(min, mean - reach), Math.min(max, mean + reach)]
  },
})

/** Mean distance from `centre`, bin by bin, of what is not in the `skipped` bins on each side of zero; 0 where that is nothing. */
function meanDistance({ counts, width }: Histogram, centre: number, skipped: number): number {
  const half = counts.length / 2
  let [sum, count] = [0, 0]
  counts.forEach((n, i) => {
    if (i >= half - skipped && i < half + skipped) return
    sum += n * Math.abs((i + 0.5 - half) * width - centre)
    count += n
  })
  return count === 0 ? 0 : sum / count
}

/** The t > 1 with t exp(t) = y, y > e (Lambert W), by Newton's method on t + ln t = ln y. */
function lambertW(y: number): number {
  const target = Math.log(y)
  let t = target
  for (let i = 0; i < 8; ++i) t -= ((t + Math.log(t) - target) * t) / (t + 1)
  return t
}
