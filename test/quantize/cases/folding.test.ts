/** Quantized with defaults: cases of one kind. */
import { describeCases } from './describe.js'
import { folding } from './folding.js'

describeCases('folding', folding)
