// The `tidegate` program: the only code that uses process-wide state (arguments, environment, signals, exit code).

import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { getPriority, setPriority } from 'node:os';
import { toleratesBrokenConnects } from '../platform/database/connector-rejections.ts';
import { exitCodes } from './failures.ts';
import { takesHangUp } from './hang-up.ts';
import { runTidegate } from './program.ts';

/** npm forwards a Ctrl-C that the terminal has already sent to this process. Two within this time count as one. */
const sameSignalMs = 1_000;
/** Time that open handles of an interrupted command may keep the process alive. */
const lingerMs = 500;
/** Of work beside a service (nice(2)): a tenth of the time that a process of usual niceness gets. */
const lastNiceness = 10;
/** Of its whole session: a third. With less a copy falls behind the redo log of a busy database. */
const lastNicenessOfSession = 5;
/** They have started processes, or undo their changes: they are stopped in order when nobody reads their output. */
const inOrder: ReadonlySet<string> = new Set(['up', 'serve', 'demo']);

toleratesBrokenConnects(process);
const ending = new AbortController();
let firstAt = 0;

function onSignal(signal: NodeJS.Signals): void {
  const now = performance.now();
  if (!ending.signal.aborted) {
    firstAt = now;
    ending.abort(signal);
  } else if (now - firstAt > sameSignalMs) {
    endNow(exitCodes.interrupted);
  }
}

/**
 * An exit waits for the threads that files and name look-ups use. A pipe without a writer would block one forever. The process then ends by the
 * signal, for which shells have 130 (SIGINT) or 141 (SIGPIPE).
 */
function endNow(exitCode: number, signal: 'SIGINT' | 'SIGPIPE' = 'SIGINT'): void {
  const isHeld = process.getActiveResourcesInfo().some((each) => each.includes('Req'));
  if (!isHeld) process.exit(exitCode);
  // Node.js ignores SIGPIPE. Adding and removing a listener restores the system's default.
  process.on(signal, () => undefined);
  process.removeAllListeners(signal);
  process.kill(process.pid, signal);
}

/** On Linux each thread has a niceness of its own, which new threads and processes take over. */
function goLast(): void {
  const niceness = Math.max(lastNiceness, getPriority());
  yieldAsSession();
  for (const thread of readdirSync('/proc/self/task')) {
    try {
      setPriority(Number(thread), niceness);
    } catch {
      // It has ended.
    }
  }
}

/**
 * Where the kernel shares the processor between sessions (sched(7), "The autogroup feature"), a niceness counts within its session alone. A service
 * leads a session of its own. The session of a terminal has other programs too, which keep their share.
 */
function yieldAsSession(): void {
  try {
    const [, , , session] = readFileSync('/proc/self/stat', 'utf8').split(') ')[1]?.split(' ') ?? [];
    if (Number(session) === process.pid) writeFileSync('/proc/self/autogroup', String(lastNicenessOfSession));
  } catch {
    // There are no such groups.
  }
}

for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, onSignal);
process.on('SIGHUP', (signal) => {
  if (ending.signal.aborted || !takesHangUp()) onSignal(signal);
});
for (const output of [process.stdout, process.stderr]) {
  output.on('error', (error: NodeJS.ErrnoException) => {
    // A stop under way continues in order, although nobody reads its output.
    if (ending.signal.aborted) return;
    // The terminal has been closed.
    if (error.code === 'EIO') onSignal('SIGHUP');
    // Unread messages have no effect.
    else if (output !== process.stdout) return;
    else if (inOrder.has(process.argv[2] ?? '')) onSignal('SIGHUP');
    // A reader that closed the pipe (`| head`) is neither a fault nor an interruption.
    else if (error.code === 'EPIPE') endNow(exitCodes.ok, 'SIGPIPE');
    // A full disk is an error, because the output is incomplete.
    else {
      process.stderr.write(`tidegate: the output can't be written: ${error.code ?? error.message}\n`);
      process.exit(exitCodes.failed);
    }
  });
}

const exitCode = await runTidegate({
  args: process.argv.slice(2),
  stdout: process.stdout,
  stderr: process.stderr,
  stdin: () => process.stdin,
  ...{ signal: ending.signal, goLast },
  env: process.env,
});
process.exitCode = exitCode;
if (ending.signal.aborted) setTimeout(() => endNow(exitCode), lingerMs).unref();
