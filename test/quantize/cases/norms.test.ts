/** Quantized with defaults: what is divided by, and the rest of its kind. */
import { describeCases } from './describe.js'
import { norms } from './norms.js'

describeCases('norm', norms)
