// The `tidegate` program: the one place that touches process-wide things (arguments, environment, signals, exit code).

import { toleratesBrokenConnects } from '../platform/database/connector-rejections.ts';
import { runTidegate } from './cli/program.ts';

/** npm hands a Ctrl-C on to us that the terminal has sent us already: two within this time are one. */
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
// A reader that went away (`| head`) is not a fault.
process.stdout.on('error', () => process.exit(0));

process.exitCode = await runTidegate({
  args: process.argv.slice(2),
  stdout: process.stdout,
  stderr: process.stderr,
  signal: ending.signal,
  env: process.env,
});
