// What the generators (gen-*.mjs) end with: writes the files that differ, or under `--check` only names them and fails.
import { existsSync, readFileSync, writeFileSync } from 'node:fs'

/** files: [URL, text] each; command: what the user runs to make them fresh. */
export function writeOrCheck(files, command) {
  const stale = files.filter(([url, text]) => !existsSync(url) || readFileSync(url, 'utf8') !== text)
  if (!process.argv.includes('--check')) {
    for (const [url, text] of stale) writeFileSync(url, text)
    return
  }
  for (const [url] of stale) console.error(`${url.pathname} is stale: run ${command}`)
  if (stale.length > 0) process.exitCode = 1
}
