/** What passes over graphs and passes over steps share to be verified one by one, under OCTAVO_VERIFY=1. */
import { OctavoError } from '../errors.js'

/** Whether what each pass makes is verified. Verifiers and printers are loaded only then. */
export function isVerifying(): boolean {
  return process.env.OCTAVO_VERIFY === '1'
}

/** How a graph, or a plan, is verified and shown. */
export interface Verification<T> {
  /** Throws an error that says what is wrong. */
  readonly verify: (value: T) => void
  readonly print: (value: T) => string
}

/** Verifies what a pass made of `before`. A failure (ERR_INTERNAL) names the pass and shows the text before and after. */
export function verifyPass<T>(pass: string, before: T, after: T, { verify, print }: Verification<T>): void {
  if (after === before) return
  try {
    verify(after)
  } catch (error) {
    const text = [
      `Pass ${pass}: ${(error as Error).message}`,
      `Before ${pass}:`,
      print(before),
      `After ${pass}:`,
      print(after),
    ].join('\n')
    throw new OctavoError('ERR_INTERNAL', text, { ...details(error), cause: error })
  }
}

function details(error: unknown) {
  return error instanceof OctavoError ? { node: error.node, tensor: error.tensor } : {}
}
