/** --help says what a command does and takes, and docs/cli.md says the same. */
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import type { Command } from 'commander'
import { describe, expect, test } from 'vitest'
import { program } from '../../lib/cli/program.js'

const page = readFileSync(new URL('../../docs/cli.md', import.meta.url), 'utf8')
const root = program()
const named = root.commands.map((command): [string, Command] => [command.name(), command])

/** As it is printed, at 80 columns. */
function helpOf(command: Command): string {
  let text = ''
  command.configureOutput({
    writeOut: (part) => {
      text += part
    },
    getOutHelpWidth: () => 80,
    getOutHasColors: () => false,
  })
  command.outputHelp()
  return text.trimEnd()
}

test('octavo --help has one line for each command, and an example', () => {
  const lines = helpOf(root).split('\n')
  for (const [name] of named) {
    const at = lines.findIndex((line) => line.startsWith(`  ${name} `))
    expect(lines[at]?.length, name).toBeGreaterThan(30)
    // What is not a command of its own would be the rest of this one.
    expect(lines[at + 1], name).toMatch(/^ {2}\w|^$/)
  }
  expect(lines.at(-1)).toMatch(/^ {2}octavo quantize /)
})

describe.each(named)('octavo %s', (name, command) => {
  test('says what it does, and shows an example', () => {
    expect(command.description()).toMatch(/^[A-Z].*\.$/s)
    expect(helpOf(command)).toContain(`\nExample:\n  octavo ${name}`)
  })

  test('says of every option what it is, and its default where it takes a value', () => {
    for (const { flags, description, required, mandatory, defaultValue } of command.options) {
      expect(description, flags).toMatch(/.{12}|^print JSON$/)
      if (!required || mandatory) continue
      expect(`${description}${defaultValue === undefined ? '' : ' (default'}`, flags).toContain('(default')
    }
  })

  test('is in docs/cli.md as it is', () => {
    const section = page.split(`\n## octavo ${name}\n`)[1]?.split('\n## ')[0] ?? ''
    expect(section, 'run `npm run build:ts && node scripts/gen-cli.mjs`').toContain(
      `\`\`\`\n${helpOf(command)}\n\`\`\``,
    )
  })
})

test('docs/cli.md has no other commands, and its generator finds it fresh', () => {
  const sections = [...page.matchAll(/^## octavo (\w+)$/gm)].map(([, name]) => name)
  expect(sections).toEqual(named.map(([name]) => name))
  const { status, stderr } = spawnSync(process.execPath, ['scripts/gen-cli.mjs', '--check'], {
    cwd: new URL('../..', import.meta.url),
    encoding: 'utf8',
  })
  expect([status, stderr]).toEqual([0, ''])
})
