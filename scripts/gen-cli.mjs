// Writes what `octavo COMMAND --help` prints, at 80 columns, into docs/cli.md. `--check` only tells whether it is stale.
import { readFileSync } from 'node:fs'
import { writeOrCheck } from './generated.mjs'

const root = new URL('../', import.meta.url)
const { program } = await import(new URL('dist/cli/program.js', root))

/** Help as it is printed, with what commander adds after the options. */
function helpOf(command) {
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

const page = new URL('docs/cli.md', root)
const before = readFileSync(page, 'utf8')
const after = program().commands.reduce((text, command) => {
  const heading = `## octavo ${command.name()}\n`
  if (!text.includes(heading)) throw new Error(`docs/cli.md: expected a line '${heading.trim()}'`)
  const [head, section] = text.split(heading)
  return `${head}${heading}${section.replace(/```\nUsage: [\s\S]*?\n```/, () => `\`\`\`\n${helpOf(command)}\n\`\`\``)}`
}, before)

writeOrCheck([[page, after]], '`npm run build:ts && node scripts/gen-cli.mjs`')
