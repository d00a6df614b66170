/** What detectors and joins start from: small images, and features of them. */
import type { ModelBuilder } from '../../helpers/builder.js'
import type { Random } from '../../helpers/random.js'

export const [HEIGHT, WIDTH, CHANNELS] = [6, 8, 8]
export const CELLS = HEIGHT * WIDTH
export const image = (random: Random) => ({ x: random.tensor([1, 3, HEIGHT, WIDTH]) })

/** Two convolutions with SiLU: features [1, 8, 6, 8]. */
export function backbone(m: ModelBuilder): string {
  const c = m.conv(m.input('x', [1, 3, HEIGHT, WIDTH]), 3, CHANNELS, [3, 3])
  return m.op('Mul', [c, m.op('Sigmoid', [c])])
}
