// The C++ tests under AddressSanitizer and UndefinedBehaviorSanitizer, and the TypeScript tests that exercise the addon
// with an instrumented addon.
import { join } from 'node:path'
import { addCounts, cmake, fail, finish, has, root, run, skip } from './tools.mjs'

if (!has('cmake')) skip('sanitizers', 'needs cmake')
else {
  const folder = join(root, 'build', 'asan')
  const options = [
    '-DCMAKE_BUILD_TYPE=RelWithDebInfo',
    '-DCMAKE_CXX_FLAGS_RELWITHDEBINFO=-O1 -g1',
    '-DOCTAVO_SANITIZE=address;undefined',
  ]
  if (!cmake(folder, options, ['octavo', 'octavo_tests'])) fail('sanitizer build')
  else {
    const env = { ASAN_OPTIONS: 'detect_leaks=1', UBSAN_OPTIONS: 'print_stacktrace=1' }
    addCounts(run(join(folder, 'octavo_tests'), [], { env }).stdout, 'C++ under ASan and UBSan')
    const library = (name) => run('gcc', [`-print-file-name=${name}`]).stdout.trim()
    const preload = `${library('libasan.so')} ${library('libubsan.so')}`
    const vitest = join(root, 'node_modules', 'vitest', 'vitest.mjs')
    const result = run(
      process.execPath,
      [vitest, 'run', '--reporter=default', '--no-file-parallelism', 'test/native', 'test/malformed'],
      {
        env: {
          ASAN_OPTIONS: 'detect_leaks=0',
          LD_PRELOAD: preload,
          OCTAVO_BINARY: join(folder, 'octavo.node'),
        },
      },
    )
    const passed = /Tests\s+(?:(\d+) failed \| )?(\d+) passed/.exec(
      result.stdout.replace(/\x1b\[[0-9;]*m/g, ''),
    )
    addCounts(
      `${passed?.[2] ?? 0} passed, ${result.ok ? 0 : Math.max(1, Number(passed?.[1] ?? 1))} failed, 0 skipped`,
      'TypeScript under ASan and UBSan',
    )
  }
}
finish()
