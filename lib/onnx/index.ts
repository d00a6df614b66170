export { type ReadOptions, readModel } from './read.js'
export { writeModel } from './write.js'
