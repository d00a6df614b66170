#!/usr/bin/env node
/** The command line: `octavo COMMAND`. Exit code 0: done; 1: the job failed; 2: wrong usage. */
import { CommanderError } from 'commander'
import { reportError } from './errors.js'
import { program } from './program.js'

// A reader that leaves early (`octavo inspect m.onnx | head`) is not an error.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(0)
  throw error
})

try {
  await program().parseAsync()
} catch (error) {
  process.exitCode =
    error instanceof CommanderError
      ? error.exitCode === 0
        ? 0
        : 2
      : reportError(error, process.argv.includes('--verbose'))
}
