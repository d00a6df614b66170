/** Quantized with defaults: cases of one kind. */

import { bodies } from './bodies.js'
import { describeCases } from './describe.js'

describeCases('bodies', bodies)
