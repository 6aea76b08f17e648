// `npm run bench -- object-catchup`: a cluster is cut off while the others get writes, and then reconnected. It measures the time until its
// database has everything, including deletions. The databases are compared without the program.

import { Agent } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { type BenchContext, type BenchResult, defineBench } from '../measure/bench.ts';
import { rounded } from '../measure/statistics.ts';
import { waitFor } from '../tests/support/machine/temporary-folder.ts';
import { ask } from '../trials/objects/answers.ts';
import { type Cluster, Site } from '../trials/objects/site.ts';
import { seededRandom } from '../trials/random.ts';
import { openLoop } from './support/open-loop.ts';
import { othersDuring } from './support/others.ts';

const counts = {
  seconds: { help: 'for which the cluster is away', usual: 60 },
  rate: { help: 'writes a second, of which a fifth are deletions', usual: 100 },
  size: { help: 'bytes of an object', usual: 1_024 },
};

export const benchObjectCatchup = defineBench({ counts, run });

const mostSeconds = 20;
/** If the databases still differ then, the figures are reported as they are. */
const giveUpMs = 120_000;
const requestMs = 10_000;
const container = 'written';
const path = (number: number) => `/${container}/object-${number}`;

async function run(context: BenchContext<keyof typeof counts>): Promise<BenchResult<keyof typeof counts>> {
  const { seed, counts: wanted, progress } = context;
  const random = seededRandom(seed);
  await using cleanup = new AsyncDisposableStack();
  const site = cleanup.adopt(await Site.open({ names: ['north', 'south', 'east'] }), (each) => each.close());
  const agent = new Agent({ keepAlive: true });
  cleanup.defer(() => agent.destroy());
  const [away, ...others] = site.clusters as [Cluster, ...Cluster[]];
  const clients = others.flatMap(({ servers }) => servers.map((server) => server.client()));
  const send = async (method: 'PUT' | 'DELETE', to: string, body = '') => {
    const told = await ask(random.pick(clients), { method, path: to, body }, agent, requestMs);
    if (told.kind !== 'ANSWER' || told.status >= 300) throw new Error(`${method} ${to}: ${JSON.stringify(told)}`);
  };
  await waitFor('a container', () =>
    send('PUT', `/${container}`).then(
      () => true,
      () => false,
    ),
  );
  // Written before the cut, so that objects which are deleted during it existed before.
  const left: number[] = [];
  let number = 0;
  const body = 'x'.repeat(wanted.size);
  const put = async () => {
    number += 1;
    const own = number;
    await send('PUT', path(own), body);
    left.push(own);
  };
  for (let at = 0; at < wanted.rate; at += 1) await put();
  await equalAfter(site.clusters, giveUpMs);

  for (const other of others)
    for (const [one, two] of [
      [away, other],
      [other, away],
    ] as const)
      one.ways.get(two.number)?.cut(true);
  let deletes = 0;
  const { result: load, others: share } = await othersDuring(() =>
    openLoop({ perSecond: wanted.rate, forMs: wanted.seconds * 1_000, random, mostUnderWay: 500 }, async () => {
      const gone = random.next() < 0.2 ? left.splice(random.integer(0, left.length - 1), 1)[0] : undefined;
      if (gone === undefined) return put();
      await send('DELETE', path(gone));
      deletes += 1;
    }),
  );
  const writes = load.latenciesMs.length;
  progress(
    `${writes} writes, ${load.failed} failed (${load.firstFailure ?? 'none'}), others had ${rounded(share, 2)} of the machine`,
  );
  for (const other of others)
    for (const [one, two] of [
      [away, other],
      [other, away],
    ] as const)
      one.ways.get(two.number)?.cut(false);
  const seconds = await equalAfter(site.clusters, giveUpMs);
  const figures = {
    ...{ writes, deletes, seconds: seconds === undefined ? null : rounded(seconds, 1), equal: seconds !== undefined },
    ...{ failed: load.failed, others: rounded(share, 2) },
  };
  const faults = [
    ...(seconds === undefined || seconds > mostSeconds ? [`equal after ${seconds ?? 'no'} seconds`] : []),
    ...(load.failed > 0 ? [`${load.failed} writes failed: ${load.firstFailure}`] : []),
  ];
  return { figures, faults };
}

/** Undefined if they are not equal in time. */
async function equalAfter(clusters: readonly Cluster[], withinMs: number): Promise<number | undefined> {
  const begunMs = performance.now();
  while (performance.now() - begunMs < withinMs) {
    const states = await Promise.all(clusters.map(({ db }) => stateOf(db)));
    if (new Set(states).size === 1) return (performance.now() - begunMs) / 1_000;
    await sleep(100);
  }
  return undefined;
}

/** All names in its database, including deletions. */
async function stateOf(db: Cluster['db']): Promise<string> {
  const [row] = await db.query<{ count: number; sum: string }>(
    `SELECT COUNT(*) AS count, CONCAT(BIT_XOR(CRC32(CONCAT_WS(' ', ring, HEX(scope), HEX(name), kind, HEX(version), head, HEX(body)))),
      ' ', SUM(CRC32(CONCAT_WS(' ', HEX(version), HEX(name), kind)))) AS sum FROM store_register WHERE kind <> 2`,
  );
  return `${row?.count} ${row?.sum}`;
}
