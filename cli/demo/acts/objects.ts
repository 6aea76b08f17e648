// Act 4: objects that survive the loss of a cluster.
import { createHash, randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { ClusterClient } from '../../cluster-client.ts';
import { loginShape } from '../../cluster-login.ts';
import { containerShape } from '../../container-shapes.ts';
import { CommandFailure } from '../../failures.ts';
import { askHosts } from '../../lab-client.ts';
import { objectShape } from '../../object-shapes.ts';
import type { Act, Place } from '../act.ts';
import { addressesOf } from '../lab-parts.ts';

const clusters = ['north', 'south', 'east'] as const;
type Cluster = (typeof clusters)[number];
const lost = 'north';
const sizeBytes = 300_000;
const removeMs = 20_000;
const pauseMs = 500;
const json = { 'content-type': 'application/json' };

export const objectsAct: Act = {
  number: 4,
  title: 'objects that survive a cluster',
  part: 'clusters',
  needsRoot: 'clusters are network namespaces',
  takes: 'half a minute',
  async play(place) {
    const { stage, data, run, project } = place;
    const at = await addressesOf(data, 'clusters');
    const urlOf = (name: Cluster) => at(name.toUpperCase());
    const token = await stage.step(
      `a login at ${lost}, good at all clusters`,
      () => login(place, lost, urlOf(lost)),
      () => 'logged in',
    );
    const by = (signal: AbortSignal) =>
      new Clients((name) => ({ name, urls: [urlOf(name)], token, project: project?.name, signal }));
    const clients = by(stage.signal);
    const container = `demo-${run}`;
    const [first, second] = [`${container}/before.bin`, `${container}/meanwhile.bin`];
    try {
      stage.undo(`the container ${container} and its objects`, () =>
        remove(by(new AbortController().signal), container, [first, second]),
      );
      await stage.step(
        `the container ${container}`,
        () =>
          clients
            .of(lost)
            .json({ method: 'PUT', path: `/-/create_container/${container}`, body: () => '' }, containerShape),
        (made) => `created, with the option ${made.option}`,
      );
      const body = randomBytes(sizeBytes);
      await stage.step(`${sizeBytes} bytes are written at ${lost}`, () => clients.write(lost, first, body), sumOf);
      await stage.step('and read at south', () => clients.read('south', first), sumOf);
      stage.undo(`bin/tidegate lab plug ${lost}`, () => act(place, 'plug').catch(() => undefined));
      await stage.step(
        `bin/tidegate lab unplug ${lost}`,
        () => act(place, 'unplug'),
        () => `nothing gets to or from ${lost}`,
      );
      const soon = <Result>(what: string, work: () => Promise<Result>) =>
        stage.until(what, () => work().catch(unlessOver(stage.signal)));
      const same = await stage.step(
        `the object is read at south, without ${lost}`,
        () => soon('an answer', () => clients.read('south', first)),
        sumOf,
      );
      if (!same.equals(body)) throw new CommandFailure('the object is not the same');
      const other = randomBytes(sizeBytes);
      await stage.step(
        'another is written there',
        () => soon('an answer', () => clients.write('south', second, other)),
        sumOf,
      );
      await stage.step('and read at east', () => soon('an answer', () => clients.read('east', second)), sumOf);
      await stage.step(
        `bin/tidegate lab plug ${lost}`,
        () => act(place, 'plug'),
        () => 'its cable is back',
      );
      const caught = await stage.step(
        `${lost} has caught up`,
        () => soon('an answer', () => clients.read(lost, second)),
        sumOf,
      );
      if (!caught.equals(other)) throw new CommandFailure('the object is not the same');
    } finally {
      await clients.close();
    }
  },
  yours: [
    'bin/tidegate lab add clusters',
    'bin/tidegate login --cluster north',
    'bin/tidegate containers create photos',
    'bin/tidegate objects create photos/dog.jpg FILE',
    'bin/tidegate lab unplug north',
    'bin/tidegate objects download photos/dog.jpg - --cluster south',
    'bin/tidegate lab plug north',
  ],
};

async function act({ data }: Place, what: 'plug' | 'unplug'): Promise<void> {
  await askHosts(data, { do: what, host: lost }, new AbortController().signal);
}

async function login({ stage, apiToken }: Place, name: Cluster, url: string): Promise<string> {
  const client = new ClusterClient({ name, urls: [url], signal: stage.signal });
  try {
    const body = JSON.stringify({ token: await apiToken() });
    // A new cluster learns its users over its link.
    const answer = await stage.until('a login', () =>
      client
        .json({ method: 'POST', path: '/-/login', headers: json, body: () => body }, loginShape)
        .catch(unlessOver(stage.signal)),
    );
    return answer.token;
  } finally {
    await client.close();
  }
}

/** Swallows errors, so that the caller polls again. */
function unlessOver(signal: AbortSignal): (error: unknown) => undefined {
  return (error) => {
    if (signal.aborted || !(error instanceof CommandFailure)) throw error;
    return undefined;
  };
}

class Clients {
  readonly #options: (name: Cluster) => ConstructorParameters<typeof ClusterClient>[0];
  readonly #clients = new Map<Cluster, ClusterClient>();

  constructor(options: (name: Cluster) => ConstructorParameters<typeof ClusterClient>[0]) {
    this.#options = options;
  }

  of(name: Cluster): ClusterClient {
    const known = this.#clients.get(name) ?? new ClusterClient(this.#options(name));
    this.#clients.set(name, known);
    return known;
  }

  async write(name: Cluster, path: string, body: Buffer): Promise<Buffer> {
    const headers = { 'content-length': String(body.length), 'content-type': 'application/octet-stream' };
    const put = (verb: string) =>
      this.of(name).json(
        { method: 'PUT', path: `/-/${verb}_object/${path}`, headers, body: () => Readable.from([body]) },
        objectShape,
      );
    // An attempt without an answer may have written it.
    await put('create').catch(async (error: unknown) => {
      if (!(error instanceof CommandFailure) || !/^(OBJECT_EXISTS|PRECONDITION_FAILED):/.test(error.message))
        throw error;
      await put('update');
    });
    return body;
  }

  async read(name: Cluster, path: string): Promise<Buffer> {
    const { body } = await this.of(name).stream({ method: 'GET', path: `/-/download_object/${path}` });
    return buffer(body);
  }

  async close(): Promise<void> {
    await Promise.all([...this.#clients.values()].map((client) => client.close()));
  }
}

/** Removes objects through a surviving cluster. It may need some seconds after a change of the network. */
async function remove(clients: Clients, container: string, objects: readonly string[]): Promise<void> {
  const endsAtMs = performance.now() + removeMs;
  try {
    for (const path of [...objects.map((each) => `delete_object/${each}`), `delete_container/${container}`])
      for (let isDone = false; !isDone; ) {
        const call = { method: 'DELETE', path: `/-/${path}` } as const;
        isDone = await clients
          .of('south')
          .done(call)
          .then(
            () => true,
            (error: unknown) => isGone(error) || (performance.now() > endsAtMs ? Promise.reject(error) : false),
          );
        if (!isDone) await sleep(pauseMs);
      }
  } finally {
    await clients.close();
  }
}

function isGone(error: unknown): boolean {
  return error instanceof CommandFailure && /^NO_(CONTAINER|OBJECT):/.test(error.message);
}

function sumOf(body: Buffer): string {
  return `${body.length} bytes, SHA-256 ${createHash('sha256').update(body).digest('hex').slice(0, 12)}…`;
}
