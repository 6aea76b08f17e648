// `npm run trials -- lb-changes`: the proof that changes of a load balancer lose no request, as one JSON line.
import { TestServers } from '../../tests/support/servers.ts';
import { type BenchContext, type BenchResult, defineBench } from '../bench.ts';
import { LbChanges } from './lb-changes.ts';

const counts = {
  requests: { help: 'requests of clients', usual: 20_000, full: 1_000_000 },
  changes: { help: 'changes meanwhile', usual: 300, full: 10_000 },
  lanes: { help: 'who change the load balancer at the same time', usual: 4 },
};

export const trialLbChanges = defineBench({ counts, run });

async function run(context: BenchContext<keyof typeof counts>): Promise<BenchResult<keyof typeof counts>> {
  const { seed, timeIsUp, progress, signal } = context;
  await using cleanup = new AsyncDisposableStack();
  const servers = cleanup.adopt(await TestServers.start(), (each) => each.stop());
  servers.publish(undefined);
  const figures = await LbChanges.run({ ...context.counts, seed, timeIsUp, progress, signal });
  const faults = (['failed', 'doubledWrites', 'misrouted', 'lockedOut', 'drift'] as const)
    .filter((name) => figures[name] > 0)
    .map((name) => `${name}: ${figures[name]}`);
  return { figures: { ...figures }, ran: { requests: figures.requests, changes: figures.changes }, faults };
}
