import type { OpDef } from './opdef.js'

export const ops: readonly OpDef[] = []
