/**
 * Modules of Node whose static import would cost every process 2 to 3 ms: that of node:fs instantiates its streams,
 * node:crypto is seldom needed, and of node:timers/promises only one function.
 */
import { createRequire } from 'node:module'

const require = createRequire(import.meta.url)

export const fs = require('node:fs') as typeof import('node:fs')

export function sha256(data: string | Uint8Array, encoding: 'hex' | 'base64'): string {
  const { createHash } = require('node:crypto') as typeof import('node:crypto')
  return createHash('sha256').update(data).digest(encoding)
}

/** Lets the event loop do all else that waits. */
export function nextTurn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve)
  })
}
