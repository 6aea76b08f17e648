// `npm run trials -- objects`: object storage over four clusters while processes are killed and stopped, clusters are unplugged, links are
// cut, clocks are wrong, disks are full and bits are flipped. Clients at each cluster write and read continuously. Their answers must be
// consistent with one register for each name. At the end, the disks are read without the program. They must have everything that was
// acknowledged and nothing that was deleted.
import { setTimeout as sleep } from 'node:timers/promises';
import { rounded } from '../measure/statistics.ts';
import { partitionOf } from '../platform/rings/ring.ts';
import { waitFor } from '../tests/support/machine/temporary-folder.ts';
import { defineTrial, type TrialRun } from './define-trial.ts';
import { Clients } from './objects/clients.ts';
import type { Fault } from './objects/fault.ts';
import { faults as allFaults, together } from './objects/faults.ts';
import { Reach } from './objects/reach.ts';
import { account, type Cluster, Site, type SiteOptions } from './objects/site.ts';
import { disksWrong, type Finding, leakedNow, nothingWrong, toldWrong, type Wrong } from './objects/verdict.ts';
import { type Random, seededRandom } from './random.ts';
import { entriesOf } from './trial-options.ts';

interface ObjectTrialOptions extends TrialRun {
  readonly trials: number;
  /** A fault lasts at least one second and at most this long. */
  readonly longestMs: number;
  readonly site?: SiteOptions;
  /** Clients per cluster; default 2. */
  readonly clients?: number;
  /** Default: all. */
  readonly faults?: Readonly<Record<string, Fault>>;
  /** Concurrent faults; default up to 3. */
  readonly mostFaults?: number;
  /** The time after the faults until everything must be right. Default 60 s. */
  readonly settleMs?: number;
  /** Used to test the judge. Called after the faults, before answers and disks are judged. */
  readonly sabotage?: {
    readonly afterFaults?: (place: Sabotaged) => Promise<void>;
    readonly beforeVerdict?: (place: Sabotaged) => Promise<void>;
  };
}

export interface Sabotaged {
  readonly site: Site;
  readonly clients: Clients;
  readonly container: string;
  /** The container's id. */
  readonly scope: string;
}

type ObjectTrialFigures = Readonly<Record<Wrong, number>> & {
  readonly trials: number;
  readonly operations: number;
  /** The number of answers by one cluster with an age. */
  readonly aged: number;
  readonly acknowledgedShare: number | null;
};

const leastAcknowledgedShare = 0.9;

export const trialObjects = defineTrial({
  counts: {
    trials: { help: 'each with a container and up to three faults of its own', usual: 30, full: 300 },
    longest: { help: 'longest duration of a fault', unit: 's', usual: 6, full: 60 },
    servers: { help: 'processes that serve each cluster', usual: 1 },
  },
  options: { faults: entriesOf('faults', allFaults) },
  async run({ longest, servers, ...given }) {
    const trial = { ...given, longestMs: longest * 1_000, site: { servers } };
    const { figures, findings } = await runObjectTrials(trial);
    const share = figures.acknowledgedShare === null ? null : rounded(figures.acknowledgedShare, 4);
    const tooFew = share !== null && share < leastAcknowledgedShare ? [`only ${share} was acknowledged`] : [];
    return { ...figures, acknowledgedShare: share, findings: [...tooFew, ...findings] };
  },
  mustBeZero: Object.keys(nothingWrong) as Wrong[],
});

/** Short, so that leftovers are collected within a trial. */
const times = {
  ...{ uploadMs: 30_000, partsMs: 60_000, readingMs: 10_000 },
  ...{ collectPauseMs: 1_000, forgetAfterMs: 2_000, forgetPauseMs: 1_000 },
  ...{ leavingMs: 5_000, markMs: 1_000 },
};
/** After the end of a fault: for breakers, connections, and a database that starts. */
const graceMs = 5_000;
const requestMs = 20_000;
/** Further ahead than the wrong clocks and all times above. */
const aheadMs = 3 * 3_600_000;
const pollMs = 200;

export async function runObjectTrials(
  options: ObjectTrialOptions,
): Promise<{ readonly figures: ObjectTrialFigures; readonly findings: readonly string[] }> {
  const { progress = () => undefined, timeIsUp = () => false, signal } = options;
  const sum: Record<Wrong, number> = { ...nothingWrong };
  const findings: string[] = [];
  let [trials, operations, aged, counted, acknowledged] = [0, 0, 0, 0, 0];
  await using cleanup = new AsyncDisposableStack();
  const site = cleanup.adopt(await Site.open({ times, hasOther: true, ...options.site }), (each) => each.close());
  while (trials < options.trials && !timeIsUp() && signal?.aborted !== true) {
    const number = trials;
    const found = ({ figure, what }: Finding) => {
      sum[figure] += 1;
      findings.push(`trial ${number} (--seed ${options.seed}): ${figure}: ${what}`);
      progress(`${figure}: ${what}`);
    };
    const trial = new Trial(site, number, options, found);
    const clients = await trial.run();
    trials += 1;
    operations += clients.operations;
    aged += [...clients.nearest.values()].flat().filter(({ asOf }) => asOf !== undefined).length;
    counted += clients.counted;
    acknowledged += clients.acknowledged;
    progress(`${trials} trials, ${operations} operations, ${acknowledged} of ${counted} acknowledged`);
  }
  const acknowledgedShare = counted === 0 ? null : acknowledged / counted;
  return { figures: { trials, operations, aged, ...sum, acknowledgedShare }, findings };
}

class Trial {
  readonly #site: Site;
  readonly #random: Random;
  readonly #options: ObjectTrialOptions;
  readonly #found: (finding: Finding) => void;
  readonly #reach: Reach;
  readonly #clients: Clients;
  readonly #container: string;
  #scope = '';

  constructor(site: Site, number: number, options: ObjectTrialOptions, found: (finding: Finding) => void) {
    this.#site = site;
    // Each trial can be repeated alone.
    this.#random = seededRandom(options.seed + number);
    this.#options = options;
    this.#found = found;
    this.#reach = new Reach(site.quorum, graceMs);
    this.#container = `trial-${number}`;
    this.#clients = new Clients({
      ...{ container: this.#container, random: this.#random, deadlineMs: requestMs },
      otherOption: site.otherOption,
      served: (cluster, fromMs, toMs) =>
        [account, this.#scope].every((scope) => this.#reach.served(cluster, site.holders(scope), fromMs, toMs)),
      found: (figure, what) => found({ figure, what }),
    });
  }

  async run(): Promise<Clients> {
    const { clients: perCluster = 2, sabotage } = this.#options;
    const [site, clients] = [this.#site, this.#clients];
    await this.#createContainer();
    const place = { site, clients, container: this.#container, scope: this.#scope };
    const ending = new AbortController();
    const running = site.clusters.flatMap((cluster) =>
      Array.from({ length: perCluster }, (_, at) => {
        const client = cluster.servers[at % cluster.servers.length]?.client();
        return client === undefined ? [] : clients.run({ cluster: cluster.number, client }, ending.signal);
      }),
    );
    await this.#fail();
    await sleep(500);
    ending.abort();
    await Promise.all(running);
    await site.untilServed();
    await this.#deleteSome();
    await sabotage?.afterFaults?.(place);
    await this.#collect();
    await this.#readAll();
    await sabotage?.beforeVerdict?.(place);
    for (const finding of toldWrong(clients.log, clients.nearest)) this.#found(finding);
    await this.#lookAtDisks();
    clients.close();
    return clients;
  }

  async #createContainer(): Promise<void> {
    const { clusters } = this.#site;
    const client = this.#random.pick(clusters).servers[0]?.client();
    await waitFor('a container', async () => {
      const told = await client?.send({ method: 'PUT', path: `/${this.#container}` }).catch(() => undefined);
      return told?.status === 200 || told?.status === 409;
    });
    this.#scope = await waitFor('the id of the container', async () => {
      const [holder] = this.#site.holders(account);
      const rows = await clusters[holder ?? 0]?.db.query<{ head: string }>(
        'SELECT head FROM store_register WHERE ring = 0 AND kind = 0 AND name = ?',
        [Buffer.from(this.#container)],
      );
      return rows?.[0] === undefined ? undefined : (JSON.parse(rows[0].head) as { readonly id: string }).id;
    });
  }

  /** Some faults, each at its own cluster, started one after the other and of random length. */
  async #fail(): Promise<void> {
    const { faults = allFaults, mostFaults = 3, longestMs, progress = () => undefined } = this.#options;
    const [random, site] = [this.#random, this.#site];
    const count = random.integer(1, mostFaults);
    const drawn = random
      .shuffle(site.clusters)
      .slice(0, count)
      .map((cluster) => ({
        cluster,
        name: random.pick(Object.keys(faults)),
        afterMs: random.integer(0, Math.min(3_000, longestMs)),
        forMs: random.integer(Math.min(1_000, longestMs), longestMs),
      }));
    const plan = together(drawn);
    progress(
      `${this.#container} in partition ${partitionOf(this.#scope)} of ${site.holders(this.#scope).join()}: ${plan
        .map(({ name, cluster, afterMs, forMs }) => `${name} at ${cluster.name} from ${afterMs} ms for ${forMs} ms`)
        .join(', ')}`,
    );
    await Promise.all(
      plan.map(async ({ cluster, name, afterMs, forMs }) => {
        await sleep(afterMs);
        const end = await faults[name]?.({ site, random, reach: this.#reach, cluster, found: this.#found });
        await sleep(forMs);
        await end?.();
      }),
    );
  }

  /** Deletes about half of the objects, so that there are deletions to forget and blobs to collect. */
  async #deleteSome(): Promise<void> {
    for (const [at, name] of this.#clients.names.entries()) {
      if (at % 2 === 0) continue;
      const cluster = this.#random.pick(this.#site.clusters);
      await this.#untilTold(`${name} to be deleted at ${cluster.name}`, () =>
        this.#clients.delete(this.#at(cluster), name),
      );
    }
  }

  /** After all these times, no unreferenced blobs may remain. */
  async #collect(): Promise<void> {
    const { settleMs = 60_000 } = this.#options;
    const { clusters } = this.#site;
    const untilMs = performance.now() + settleMs;
    let leaked: readonly Finding[] = [];
    for (let look = 0; performance.now() < untilMs; look += 1) {
      // A second time, because only then are versions old enough that were written to supersede others.
      if (look % 10 === 0 && look < 50)
        for (const cluster of clusters) cluster.change({ clockMs: cluster.ground.clockMs + aheadMs });
      await sleep(pollMs);
      leaked = await leakedNow(clusters, this.#scope);
      if (leaked.length === 0) return;
    }
    for (const finding of leaked) this.#found(finding);
  }

  /** Reads every name through every cluster. */
  async #readAll(): Promise<void> {
    for (const cluster of this.#site.clusters) {
      const at = this.#at(cluster);
      await this.#untilTold(`a listing at ${cluster.name}`, () => this.#clients.list(at));
      for (const name of this.#clients.names) {
        await this.#untilTold(
          `${name} at ${cluster.name}`,
          async () => (await this.#clients.read(at, name)) !== undefined,
        );
        await this.#clients.readNearest(at, name);
      }
    }
  }

  /** If all clusters are up, no request is refused for long. */
  async #untilTold(what: string, ask: () => Promise<boolean>): Promise<void> {
    const { settleMs = 60_000 } = this.#options;
    const untilMs = performance.now() + settleMs;
    while (!(await ask())) {
      if (performance.now() > untilMs) return this.#found({ figure: 'unreadable', what: `no answer: ${what}` });
      await sleep(pollMs);
    }
  }

  async #lookAtDisks(): Promise<void> {
    const { settleMs = 60_000 } = this.#options;
    const untilMs = performance.now() + settleMs;
    const last = new Map(
      [...this.#clients.log].flatMap(([name, entries]) => {
        const read = entries.findLast(({ step }) => step.kind === 'read' && step.listed !== true);
        return read?.step.kind === 'read' ? [[name, read.step.got] as const] : [];
      }),
    );
    const wanted = { site: this.#site, scope: this.#scope, last, contents: this.#clients.contents };
    let wrong = await disksWrong(wanted);
    while (wrong.length > 0 && performance.now() < untilMs) {
      await sleep(pollMs);
      wrong = await disksWrong(wanted);
    }
    for (const finding of wrong) this.#found(finding);
  }

  #at(cluster: Cluster) {
    const server = cluster.servers[0];
    if (server === undefined) throw new Error(`${cluster.name} has no server`);
    return { cluster: cluster.number, client: server.client() };
  }
}
