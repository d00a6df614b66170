/** Quantized with defaults: what is divided by, and the rest of its kind. */
import { describeCases } from './describe.js'
import { divisors } from './divisors.js'

describeCases('divisor', divisors)
