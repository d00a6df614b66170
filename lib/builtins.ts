/**
 * Modules of Node whose static import would cost every process 2 to 3 ms: that of node:fs instantiates its streams,
 * node:crypto is seldom needed.
 */

export const fs = process.getBuiltinModule('node:fs')

export function sha256(data: string | Uint8Array, encoding: 'hex' | 'base64'): string {
  const { createHash } = process.getBuiltinModule('node:crypto')
  return createHash('sha256').update(data).digest(encoding)
}
