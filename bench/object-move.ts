// `npm run bench -- object-move`: a fourth cluster is added while users read and write. Do they notice? Then there are concurrent large
// uploads, to measure the memory that a server needs for them.
import { randomBytes } from 'node:crypto';
import { Agent, request } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { type BenchContext, type BenchResult, defineBench } from '../measure/bench.ts';
import { percentile, rounded } from '../measure/statistics.ts';
import { waitFor } from '../tests/support/machine/temporary-folder.ts';
import type { S3TestClient } from '../tests/support/object-storage/s3-client.ts';
import { ask } from '../trials/objects/answers.ts';
import { Site } from '../trials/objects/site.ts';
import { type Random, seededRandom } from '../trials/random.ts';
import { openLoop } from './support/open-loop.ts';
import { othersDuring } from './support/others.ts';
import { forgetPeak, peakMib } from './support/peak-memory.ts';

const counts = {
  objects: { help: 'that are there before', usual: 2_000 },
  containers: { help: 'in which they are: each has a partition of its own', usual: 100 },
  rate: { help: 'reads and writes of users a second, half of each', usual: 40 },
  seconds: { help: 'in which users are alone, before and after', usual: 20 },
  uploads: { help: 'large ones at once; 0: none', usual: 16, least: 0 },
  mebibytes: { help: 'of each', usual: 256, full: 1_024 },
};

export const benchObjectMove = defineBench({ counts, run });

const mostP99Ratio = 3;
const mostPeakMib = 250;
const sizes = [1_024, 1_024, 1_024, 64 * 1_024];
const requestMs = 30_000;
const uploadMs = 30 * 60_000;
const pieceBytes = 256 * 1_024;
const newcomer = 'west';
const container = (number: number) => `container-${number}`;

async function run(context: BenchContext<keyof typeof counts>): Promise<BenchResult<keyof typeof counts>> {
  const { seed, counts: wanted, progress, signal } = context;
  await using cleanup = new AsyncDisposableStack();
  const site = cleanup.adopt(await Site.open({ waiting: newcomer, ways: false }), (each) => each.close());
  const agent = new Agent({ keepAlive: true });
  cleanup.defer(() => agent.destroy());
  const users = new Users(site, agent, seededRandom(seed), wanted);
  await users.fill();
  await users.load(wanted.seconds * 1_000);
  const before = await users.load(wanted.seconds * 1_000);
  signal.throwIfAborted();
  const beganMs = performance.now();
  let isOver = false;
  const moved = site.comeBack().then(() => {
    isOver = true;
    return (performance.now() - beganMs) / 1_000;
  });
  const during: number[] = [];
  const { result: failures, others } = await othersDuring(async () => {
    const found: string[] = [];
    do {
      const part = await users.load(1_000);
      during.push(...part.latenciesMs);
      found.push(...part.failures);
    } while (!isOver && !signal.aborted);
    return found;
  });
  signal.throwIfAborted();
  const seconds = rounded(await moved, 1);
  const p99 = { before: percentile(before.latenciesMs, 0.99), during: percentile(during, 0.99) };
  const failed = before.failures.length + failures.length;
  progress(`moved in ${seconds} s, during ${during.length} requests; others had ${rounded(others, 2)} of the machine`);
  const wrong = await users.wrong();
  const pids = site.clusters.flatMap(({ servers }) => servers.map(({ child }) => child.pid));
  for (const pid of pids) forgetPeak(pid);
  await uploads(site, agent, wanted);
  const peaks = pids.map(peakMib);
  const figures = {
    ...{ failed, p99Ratio: rounded(p99.during / p99.before, 2), peakMiB: Math.max(...peaks), seconds },
    ...{ p99Ms: { before: rounded(p99.before, 1), during: rounded(p99.during, 1) }, requests: during.length },
    ...{ wrong, others: rounded(others, 2) },
  };
  const faults = [
    ...(failed > 0 ? [`${failed} requests failed: ${[...before.failures, ...failures][0]}`] : []),
    ...(wrong > 0 ? [`${wrong} objects are not what was written last`] : []),
    ...(figures.p99Ratio <= mostP99Ratio
      ? []
      : [`p99Ratio is ${figures.p99Ratio}, and should be at most ${mostP99Ratio}`]),
    ...(figures.peakMiB <= mostPeakMib ? [] : [`peakMiB is ${figures.peakMiB}, and should be at most ${mostPeakMib}`]),
  ];
  return { figures, faults };
}

/** Reads and writes at a fixed rate, at all clusters that were in the ring before. */
class Users {
  readonly #clients: readonly S3TestClient[];
  readonly #agent: Agent;
  readonly #random: Random;
  readonly #counts: Readonly<Record<keyof typeof counts, number>>;
  /** The last acknowledged body, by path. */
  readonly #written = new Map<string, Buffer>();
  /** Paths that are being written. No other client writes them, so the expected content is known. */
  readonly #busy = new Set<string>();

  constructor(site: Site, agent: Agent, random: Random, wanted: Readonly<Record<keyof typeof counts, number>>) {
    this.#clients = site.clusters
      .filter(({ name }) => name !== newcomer)
      .flatMap(({ servers }) => servers.map((server) => server.client()));
    this.#agent = agent;
    this.#random = random;
    this.#counts = wanted;
  }

  async fill(): Promise<void> {
    const { objects, containers } = this.#counts;
    for (let number = 0; number < containers; number += 1)
      await waitFor('a container', () =>
        this.#send('PUT', `/${container(number)}`).then(
          () => true,
          () => false,
        ),
      );
    const numbers = Array.from({ length: objects }, (_, number) => number).values();
    const fill = async () => {
      for (const number of numbers) await this.#put(`/${container(number % containers)}/object-${number}`);
    };
    await Promise.all(Array.from({ length: 8 }, fill));
  }

  async load(
    forMs: number,
  ): Promise<{ readonly latenciesMs: readonly number[]; readonly failures: readonly string[] }> {
    const paths = [...this.#written.keys()];
    const load = { perSecond: this.#counts.rate, forMs, random: this.#random, mostUnderWay: 500 };
    const {
      latenciesMs,
      failed,
      firstFailure = '',
    } = await openLoop(load, async () => {
      const path = this.#random.pick(paths);
      if (this.#random.next() < 0.5 && !this.#busy.has(path)) await this.#put(path);
      else await this.#send('GET', path);
    });
    return { latenciesMs, failures: Array.from({ length: failed }, () => firstFailure) };
  }

  /** Objects that differ from their last acknowledged body, read at any cluster. */
  async wrong(): Promise<number> {
    let count = 0;
    for (const [path, body] of this.#written) if (!(await this.#send('GET', path)).equals(body)) count += 1;
    return count;
  }

  async #put(path: string): Promise<void> {
    const body = randomBytes(this.#random.pick(sizes));
    this.#busy.add(path);
    try {
      await this.#send('PUT', path, body);
      this.#written.set(path, body);
    } finally {
      this.#busy.delete(path);
    }
  }

  async #send(method: 'GET' | 'PUT', path: string, body?: Buffer): Promise<Buffer> {
    const sent = { method, path, ...(body && { body }) };
    const told = await ask(this.#random.pick(this.#clients), sent, this.#agent, requestMs);
    if (told.kind === 'ANSWER' && told.status === 200) return told.body;
    throw new Error(`${method} ${path}: ${told.kind === 'ANSWER' ? `${told.status} ${told.text}` : told.kind}`);
  }
}

/** All at once, over all clusters. */
async function uploads(
  site: Site,
  agent: Agent,
  { uploads: count, mebibytes }: Readonly<Record<keyof typeof counts, number>>,
): Promise<void> {
  const clients = site.clusters.flatMap(({ servers }) => servers.map((server) => server.client()));
  const one = async (number: number) => {
    const client = clients[number % clients.length];
    if (client === undefined) throw new Error('no server');
    await upload(client, agent, `/${container(0)}/large-${number}`, mebibytes * 1_024 ** 2);
  };
  await Promise.all(Array.from({ length: count }, (_, number) => one(number)));
}

/** Repeats one piece, without a digest, because computing it would cost more than the measured work. */
async function upload(client: S3TestClient, agent: Agent, path: string, sizeBytes: number): Promise<void> {
  const sent = { method: 'PUT', path, contentSha256: 'UNSIGNED-PAYLOAD' };
  const headers = { ...client.sign(sent).headers, 'content-length': sizeBytes };
  const { hostname: host, port } = client.url;
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const asked = request({ host, port, method: 'PUT', path, agent, headers, timeout: uploadMs });
  asked.once('error', reject);
  asked.once('timeout', () => asked.destroy(new Error(`${path}: nothing moves`)));
  asked.once('response', (response) => {
    response.resume();
    if (response.statusCode === 200) response.once('end', resolve);
    else reject(new Error(`PUT ${path}: ${response.statusCode}`));
  });
  const piece = randomBytes(pieceBytes);
  const send = async () => {
    for (let sentBytes = 0; sentBytes < sizeBytes; sentBytes += piece.length) {
      const isTaken = asked.write(piece.subarray(0, sizeBytes - sentBytes));
      while (!isTaken && asked.writableNeedDrain && !asked.destroyed) await sleep(1);
    }
    asked.end();
  };
  await Promise.all([promise, send()]);
}
