export type { ExternalDataFile } from './external.js'
export type { ReadLimits } from './limits.js'
export { type ReadOptions, readModel } from './read.js'
export { type WriteOptions, writeModel } from './write.js'
