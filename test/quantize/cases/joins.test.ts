/** Quantized with defaults: cases of one kind. */
import { describeCases } from './describe.js'
import { joins } from './joins.js'

describeCases('joins', joins)
