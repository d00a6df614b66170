/** Masks, infinities and lowest floats that only say what does not count. */
import { describeCases } from './describe.js'
import { masks } from './masks.js'

describeCases('mask', masks)
