// The `tidegate` program: the one place that touches process-wide things (arguments, environment, signals, exit code).

import { toleratesBrokenConnects } from '../platform/database/connector-rejections.ts';
import { runTidegate } from './program.ts';

/** npm passes on a Ctrl-C that the terminal has already sent to this process: two within this time count as one. */
const sameSignalMs = 1_000;

toleratesBrokenConnects(process);
const ending = new AbortController();
let firstAt = 0;

function end(signal: NodeJS.Signals): void {
  const now = performance.now();
  if (!ending.signal.aborted) {
    firstAt = now;
    ending.abort(signal);
  } else if (now - firstAt > sameSignalMs) {
    process.exit(130);
  }
}

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, end);
// A reader that closed the pipe (`| head`) is not a fault.
process.stdout.on('error', () => process.exit(0));

process.exitCode = await runTidegate({
  args: process.argv.slice(2),
  stdout: process.stdout,
  stderr: process.stderr,
  signal: ending.signal,
  env: process.env,
});
