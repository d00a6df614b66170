/** The stages of a quantization in their order, with the reason of each place. A stage is a folder, a method a file and a line. */
import { assignFormats } from './assign/assign.js'
import { assignTables } from './assign/tables.js'
import { warnOfUnmatched } from './assign/unmatched.js'
import { checkAndRepair } from './check/repair.js'
import { correctBiases } from './correct/bias.js'
import { flattenBodies } from './prepare/flatten.js'
import { learnOpenTypes, prepareModel } from './prepare/prepare.js'
import type { Method, Quantization } from './quantization.js'
import { observedRanges } from './ranges/activations.js'
import { calibrate } from './ranges/calibrate.js'
import { keepInfiniteFloat } from './ranges/infinite.js'
import { observeMissing } from './ranges/missing.js'
import { keepUnlikeFloat } from './ranges/unlike.js'
import { keepUnseenFloat } from './ranges/unseen.js'
import { roundNearest } from './round/nearest.js'
import { roundRecurrent } from './round/recurrent.js'
import { roundTables } from './round/tables.js'
import { roundWeightOnly } from './round/weight-only.js'
import { activationScales } from './scales/activations.js'
import { layerScales } from './scales/layers.js'
import { writeQdq } from './write/qdq.js'

type StageName =
  | 'prepare'
  | 'equalize'
  | 'assign'
  | 'ranges'
  | 'scales'
  | 'round'
  | 'write'
  | 'correct'
  | 'check'

export interface Stage {
  readonly name: StageName
  /** They run in this order; each decides by the recipe whether it has anything to do. */
  readonly methods: readonly Method[]
}

/** What the data showed takes nodes out of the assignment before any range is chosen; what then lacks statistics gets them. */
const ranges: readonly Method[] = [
  keepInfiniteFloat,
  keepUnseenFloat,
  keepUnlikeFloat,
  observeMissing,
  // What was missing may be no better.
  keepInfiniteFloat,
  keepUnseenFloat,
  observedRanges,
]
/** The bias guard of a layer's weights needs the scale of its input. */
const scales: readonly Method[] = [activationScales, layerScales]

const assign: readonly Method[] = [assignFormats, assignTables]
/** They choose between levels, whose scales are fixed by now; those of weight-only formats and of tables hang on nothing else. */
const round: readonly Method[] = [roundNearest, roundRecurrent, roundTables, roundWeightOnly]

/** Anew from the assignment to the written graph, for another assignment. */
const rebuild = inOrder([...assign, ...ranges, ...scales, ...round, writeQdq])

export const stages: readonly Stage[] = [
  // Scales and constants are where the engine will have them: all that follows looks at the graph that runs.
  { name: 'prepare', methods: [prepareModel, learnOpenTypes, flattenBodies] },
  // Moves range between float weights and activations, so formats, ranges and scales must not be chosen yet.
  { name: 'equalize', methods: [] },
  // Calibration observes the values that are quantized, and no others.
  { name: 'assign', methods: [warnOfUnmatched, ...assign] },
  { name: 'ranges', methods: [calibrate, ...ranges] },
  { name: 'scales', methods: scales },
  { name: 'round', methods: round },
  { name: 'write', methods: [writeQdq] },
  // Compares the graph that was written with the float one.
  { name: 'correct', methods: [correctBiases] },
  // Judges what would be handed over, and goes back to the assignment where that is ruined.
  { name: 'check', methods: [checkAndRepair(rebuild, correctBiases)] },
]

/** Methods as one. */
function inOrder(methods: readonly Method[]): Method {
  return async (quantization) => {
    let current = quantization
    for (const method of methods) {
      current.signal?.throwIfAborted()
      current = await method(current)
    }
    return current
  }
}

/** Runs stages from the record that `begin` gives. */
export async function runStages(
  quantization: Quantization,
  list: readonly Stage[] = stages,
): Promise<Quantization> {
  return inOrder(list.flatMap(({ methods }) => methods))(quantization)
}
