// Settles UNKNOWN calls like a CMP would: by repeated probes of a relay until the outcome is certain.
import { setTimeout as sleep } from 'node:timers/promises';
import type { Arena } from './arena.ts';
import { readUnknown } from './evidence.ts';
import type { RelayMember } from './relay-member.ts';

interface SettlingOptions {
  readonly arena: Arena;
  /** The next relay to probe with. */
  readonly next: () => RelayMember;
  readonly deadlineMs: number;
  /** Called with the reason of a refusal, for people. */
  readonly refused?: (why: string) => void;
}

const atOnce = 8;
const pauseMs = 100;

/** Settles every call that can be settled by the deadline. Probes those in their quiet time when that is over. */
export async function settleAll({ arena, next, deadlineMs, refused }: SettlingOptions): Promise<void> {
  const untilMs = performance.now() + deadlineMs;
  while (performance.now() < untilMs) {
    const unknown = await readUnknown(arena.db);
    if (unknown.length === 0) return;
    const due = unknown.filter(({ untilQuietMs }) => untilQuietMs < 0).slice(0, atOnce);
    const looks = await Promise.all(due.map(({ id }) => arena.settle(next(), id)));
    for (const { refusal } of looks) if (refusal !== undefined) refused?.(refusal);
    const settled = looks.some(({ state }) => state !== 'UNKNOWN');
    if (!settled) await sleep(pauseMs);
  }
}

/** Probes it until it is settled. False if not by the deadline. */
export async function settleOne(
  { arena, next, deadlineMs, refused }: SettlingOptions,
  operationId: string,
): Promise<boolean> {
  const untilMs = performance.now() + deadlineMs;
  for (;;) {
    const { state, refusal } = await arena.settle(next(), operationId);
    if (refusal !== undefined) refused?.(refusal);
    if (state !== 'UNKNOWN') return true;
    if (performance.now() > untilMs) return false;
    await sleep(pauseMs);
  }
}
