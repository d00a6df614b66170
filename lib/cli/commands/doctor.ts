/** octavo doctor: what this machine has, and what was chosen. Works where the addon does not load, and says why. */
import { Command } from 'commander'
import { host } from '../../native/candidates.js'
import { binding, bindingPath } from '../../native/load.js'
import { version } from '../../session/env.js'
import { line, printJson, printTable } from '../output.js'

export function doctor(): Command {
  return new Command('doctor')
    .summary('what this machine has, and what was chosen')
    .description(
      'Show the platform, the CPU, the instruction sets found and chosen, and the addon that was loaded.',
    )
    .option('--json', 'print JSON')
    .addHelpText('after', '\nExample:\n  octavo doctor')
    .action((flags: { json?: boolean }) => {
      const result = examine()
      if ('error' in result) process.exitCode = 1
      if (flags.json) return printJson(result)
      const libc = result.libc === '' ? '' : `, ${result.libc} ${result.libcVersion}`
      line(`octavo ${result.version}, Node ${result.node}, ${result.platform}-${result.arch}${libc}`)
      if ('error' in result) return line(result.error)
      line(`addon: ${result.addon} (${result.compiler})`)
      line(`cores this process may use: ${result.cores}`)
      line(
        `instruction set: ${result.isa}${result.forced ? ' (forced by OCTAVO_ISA)' : ''}, activations ${result.activations}`,
      )
      printTable(
        ['instruction set', 'compiled', 'this CPU', ''],
        result.isas.map((i) => [i.name, i.compiled ? 'yes' : 'no', i.supported ? 'yes' : 'no', i.reason]),
      )
    })
}

function examine() {
  const { platform, arch, libc, libcVersion } = host()
  const base = { version, node: process.version, platform, arch, libc, libcVersion }
  try {
    const { isa, isas, activations, cores, compiler } = binding()
    const forced = process.env.OCTAVO_ISA !== undefined
    return { ...base, addon: bindingPath(), compiler, cores, isa, forced, activations, isas }
  } catch (error) {
    return { ...base, error: error instanceof Error ? error.message : String(error) }
  }
}
