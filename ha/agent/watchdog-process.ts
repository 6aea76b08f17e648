// The parent of one mariadbd, which it kills at the time in the fence file. The agent extends that time with each renewal of the lease,
// so an agent that hangs extends nothing, and one that was killed soon nothing more (renewal-for-agent.ts). If the watchdog itself exits, the kernel kills mariadbd. If the watchdog hangs, or
// its server can't be killed, the machine's watchdog resets the machine, if there is one.
// argument: the path of a JSON file (WatchdogOrder)

import { spawn } from 'node:child_process';
import { openSync, readFileSync, writeFileSync } from 'node:fs';
import { endingWithParent } from '../../embedded/ends-with-parent.ts';
import { shareOut } from '../../embedded/priority.ts';
import { credentialFlags, killQuietly } from '../../embedded/server-process.ts';
import { monotonicMs } from './clock.ts';
import { MachineWatchdog } from './machine-watchdog.ts';
import { RenewalForAgent } from './renewal-for-agent.ts';
import type { WatchdogOrder } from './watchdog.ts';

const everyMs = 20;

function main(path: string): void {
  const order = JSON.parse(readFileSync(path, 'utf8')) as WatchdogOrder;
  const output = openSync(order.logFile, 'a', 0o600);
  const server = spawn(...endingWithParent(order.command, order.args, { flags: credentialFlags(order.runAs) }), {
    cwd: order.cwd,
    detached: true,
    stdio: ['ignore', output, output],
    env: { ...order.env },
  });
  server.once('error', () => process.exit(1));
  const machine = order.device === undefined ? undefined : new MachineWatchdog(order.device, output);
  server.once('exit', () => {
    // No process is left that could write.
    machine?.disarm();
    process.exit(0);
  });
  const { pid } = server;
  if (pid === undefined) return;
  for (const each of [process.pid, pid]) shareOut(each);
  writeFileSync(order.pidFile, `${pid}\n`);
  const renewal = order.agentFile === undefined ? undefined : new RenewalForAgent(order.agentFile, order.fenceFile);
  let fenceAtMs: number | undefined;
  const looking = setInterval(() => {
    fenceAtMs = fenceIn(order.fenceFile, fenceAtMs);
    if (fenceAtMs === undefined) return machine?.disarm();
    if (monotonicMs() < fenceAtMs) {
      renewal?.look(fenceAtMs);
      return machine?.keepAlive();
    }
    clearInterval(looking);
    killQuietly(pid, 'SIGKILL');
    // A process that waits for a frozen disk does not end. The only remaining safeguard is the machine's watchdog, which is no longer kept alive.
    if (machine?.isArmed !== true) process.exit(0);
  }, everyMs);
}

/** Undefined if there is no server to fence. An unreadable file leaves the previous time. */
function fenceIn(file: string, before: number | undefined): number | undefined {
  try {
    const text = readFileSync(file, 'utf8').trim();
    return text === '' ? undefined : Number(text);
  } catch {
    return before;
  }
}

main(process.argv[2] ?? '');
