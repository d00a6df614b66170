// Child processes of the bench. One that is stopped takes its children with it: nothing outlives the command.
import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'

const child = fileURLToPath(new URL('child.mjs', import.meta.url))
const running = new Set()

/** Standard output of a program; an error with its words where it fails. */
export function output(command, args, { env = {}, signal } = {}) {
  return new Promise((resolve, reject) => {
    const started = spawn(command, args, {
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
      signal,
    })
    running.add(started)
    let [text, errors] = ['', '']
    started.stdout.on('data', (chunk) => {
      text += chunk
    })
    started.stderr.on('data', (chunk) => {
      errors += chunk
    })
    started.on('error', reject)
    started.on('close', (code, by) => {
      running.delete(started)
      if (code === 0) resolve(text)
      else reject(new Error(`${command} ${args.join(' ')}: ${by ?? `exit code ${code}`}\n${errors.trim()}`))
    })
  })
}

export async function inChild(job, options) {
  return JSON.parse(await output(process.execPath, [child, JSON.stringify(job)], options))
}

export function stopAll() {
  for (const started of running) started.kill('SIGKILL')
}
