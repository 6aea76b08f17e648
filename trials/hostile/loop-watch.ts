// Loaded into each process of the trial before its program (`--import`). It logs each time the event loop was blocked longer than allowed,
// by the CPU time of the loop's own thread, so that other load on the machine does not count.
import { appendFileSync } from 'node:fs';
import { type SlowTurn, slowTurnMs } from './slow-turns.ts';

const everyMs = 2;
const file = process.env.LOOP_WATCH_FILE;

if (file !== undefined) {
  let before = process.threadCpuUsage();
  let beforeMs = Date.now();
  setInterval(() => {
    const now = process.threadCpuUsage();
    const nowMs = Date.now();
    const cpuMs = (now.user + now.system - before.user - before.system) / 1000;
    if (cpuMs > slowTurnMs) {
      const turn: SlowTurn = { fromMs: beforeMs, untilMs: nowMs, cpuMs };
      appendFileSync(file, `${JSON.stringify(turn)}\n`);
    }
    before = now;
    beforeMs = nowMs;
  }, everyMs).unref();
}
