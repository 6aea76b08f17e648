// CPU per query to our name server, compared with PowerDNS: without changes, during changes, and with policies, signed and unsigned. All
// servers get queries for the same number of names at the same rate, in alternating rounds.
import { setTimeout as sleep } from 'node:timers/promises';
import { type BenchContext, type BenchResult, defineBench } from '../measure/bench.ts';
import { Child } from '../measure/child.ts';
import { cpuMsOf } from '../measure/cpu.ts';
import { median, rounded } from '../measure/statistics.ts';
import type { LoadOrder, LoadResult } from './gslb-dns/load.ts';
import { type NameServer, startAnswerer, startPdns } from './gslb-dns/places.ts';
import { allAddresses, nameAt } from './gslb-dns/plans.ts';

const counts = {
  rounds: { help: 'alternating rounds', usual: 7 },
  seconds: { help: 'of each kind in a round', usual: 5 },
  names: { help: 'names of the zone', usual: 5_000 },
  perSecond: { help: 'questions', usual: 8_000 },
  changesPerSecond: { help: 'where changes come', usual: 10 },
};

export const benchGslbDns = defineBench({ counts, run });

interface Lane {
  readonly name: string;
  readonly server: NameServer;
  readonly changes: boolean;
  readonly signed: boolean;
  readonly ours: boolean;
}

async function run(context: BenchContext<keyof typeof counts>): Promise<BenchResult<keyof typeof counts>> {
  const { counts, progress, signal } = context;
  await using stack = new AsyncDisposableStack();
  const load = new Child(new URL('./gslb-dns/load.ts', import.meta.url));
  stack.defer(() => load.stop());
  const plain = await startAnswerer(stack, counts.names, { kind: 'PLAIN', signed: false });
  const pdns = await startPdns(stack, counts.names, 'PLAIN');
  const lane = (name: string, server: NameServer, parts: Partial<Lane> = {}): Lane => ({
    ...{ name, server, changes: false, signed: false, ours: !name.startsWith('pdns') },
    ...parts,
  });
  const lanes = [
    ...[lane('plain', plain), lane('pdns', pdns)],
    ...[lane('changing', plain, { changes: true }), lane('pdns changing', pdns, { changes: true })],
    lane('policy', await startAnswerer(stack, counts.names, { kind: 'POLICY', signed: false })),
    lane('pdns lua', await startPdns(stack, counts.names, 'POLICY')),
    lane('signed', await startAnswerer(stack, counts.names, { kind: 'PLAIN', signed: true }), { signed: true }),
  ];
  const names = Array.from({ length: counts.names }, (_, index) => nameAt(index));
  const measured = new Map<string, number[]>(lanes.map(({ name }) => [name, []]));
  const totals = { wrong: 0, lost: 0, asked: 0 };
  // The first round only fills caches and creates signatures.
  for (let round = -1; round < counts.rounds; round += 1) {
    for (const each of round % 2 === 0 ? lanes : lanes.toReversed()) {
      signal.throwIfAborted();
      const { port, pid } = each.server;
      const { seconds, perSecond } = counts;
      const order: LoadOrder = { port, seconds, perSecond, names, signed: each.signed, allowed: allAddresses };
      const before = cpuMsOf(pid);
      const over = new AbortController();
      const changes = each.changes ? changing(each.server, counts, round, over.signal) : undefined;
      const result = await load.ask<LoadResult>(order, (counts.seconds + 30) * 1_000);
      const cpuMs = cpuMsOf(pid) - before;
      over.abort();
      await changes;
      if (each.ours) {
        totals.wrong += result.wrong;
        totals.lost += result.asked - result.answered;
        totals.asked += result.asked;
      }
      if (round >= 0) measured.get(each.name)?.push(rounded((cpuMs * 1_000) / result.answered, 2));
    }
    progress(`round ${round + 1}: ${lanes.map(({ name }) => `${name} ${measured.get(name)?.at(-1)}`).join(', ')}`);
  }
  const ratio = (one: string, other: string) =>
    rounded(median((measured.get(one) ?? []).map((value, at) => value / (measured.get(other)?.[at] ?? Number.NaN))), 2);
  const figures = {
    answererToPdns: ratio('plain', 'pdns'),
    answererToPdnsChanging: ratio('changing', 'pdns changing'),
    policyToLua: ratio('policy', 'pdns lua'),
    signedToUnsigned: ratio('signed', 'plain'),
    gdnsdCpuUs: null,
    wrong: totals.wrong,
    lostShare: rounded(totals.lost / totals.asked, 5),
    cpuUsPerQuery: Object.fromEntries([...measured].map(([name, values]) => [name, rounded(median(values), 1)])),
  };
  return { figures };
}

/** Runs until it is told to stop. */
async function changing(
  server: NameServer,
  { names, changesPerSecond }: { readonly names: number; readonly changesPerSecond: number },
  round: number,
  signal: AbortSignal,
): Promise<void> {
  for (let count = 0; !signal.aborted; count += 1) {
    await server.change((count * 97) % names, 2 * (round + 2) + (count % 2));
    await sleep(1_000 / changesPerSecond, undefined, { signal }).catch(() => undefined);
  }
}
