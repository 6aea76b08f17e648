// S3 clients at each cluster, which write, read, copy, list and delete a few names that all of them use and many that few use, and record
// the answers.
import { createHash } from 'node:crypto';
import { Agent } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import type { S3TestClient, Sent } from '../../tests/support/object-storage/s3-client.ts';
import type { NearestRead } from '../objects-model/nearest.ts';
import type { Random } from '../random.ts';
import { ask, mayHaveHappened, type Told } from './answers.ts';
import type { Entry, Step } from './history.ts';

interface ClientOptions {
  readonly container: string;
  readonly random: Random;
  readonly deadlineMs: number;
  /** The option that a share of the objects uses. */
  readonly otherOption?: string | undefined;
  /** Whether the cluster could have served a request that ran in this time. */
  readonly served: (cluster: number, fromMs: number, toMs: number) => boolean;
  readonly found: (figure: 'listWrong' | 'unreadable', what: string) => void;
}

interface At {
  readonly cluster: number;
  readonly client: S3TestClient;
}

const hotNames = 3;
const coldNames = 40;
const pauseMs = 20;
/** The share of written objects that use it. The others use the container's option. */
const otherShare = 0.25;
const smallestPart = 5 * 1024 ** 2;

const actions = {
  put: 18,
  create: 10,
  replace: 10,
  delete: 10,
  copy: 4,
  multipart: 3,
  get: 25,
  head: 8,
  nearest: 12,
  list: 6,
} as const;
type Action = keyof typeof actions;
const drawn = (Object.keys(actions) as Action[]).flatMap((action) =>
  Array.from({ length: actions[action] }, () => action),
);

export class Clients {
  readonly log = new Map<string, Entry[]>();
  /** Answers of one cluster, by name. */
  readonly nearest = new Map<string, NearestRead[]>();
  /** Bodies by entity tag, which is the MD5 sum of the bytes. */
  readonly contents = new Map<string, string>();
  readonly #options: ClientOptions;
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 64 });
  readonly #lastSeen = new Map<string, string>();
  #unique = 0;
  operations = 0;
  /** Number of requests that could have been served. */
  counted = 0;
  acknowledged = 0;

  constructor(options: ClientOptions) {
    this.#options = options;
  }

  close(): void {
    this.#agent.destroy();
  }

  get names(): readonly string[] {
    return [...this.log.keys()];
  }

  /** Sends one request after the other until it is stopped. */
  async run(at: At, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.#act(at);
      await sleep(pauseMs * this.#options.random.next());
    }
  }

  /** The current value of a name. Undefined if there was no answer. */
  async read(at: At, name: string): Promise<{ readonly got: string | undefined } | undefined> {
    const called = performance.now();
    const told = await this.#ask(at, { method: 'GET', path: this.#path(name) });
    if (told.kind !== 'ANSWER') return undefined;
    if (told.code === 'NoSuchKey') return this.#sawAt(name, called, undefined);
    const etag = etagOf(told);
    if (told.status !== 200 || etag === undefined) return undefined;
    this.#checkBytes(name, etag, told);
    return this.#sawAt(name, called, etag);
  }

  /** One cluster's value of a name, with its age. */
  async readNearest(at: At, name: string): Promise<void> {
    const { random, found } = this.#options;
    const method = random.pick(['GET', 'HEAD'] as const);
    this.#entries(name);
    const called = performance.now();
    const told = await this.#ask(at, { method, path: this.#path(name), headers: { 'x-tidegate-read': 'nearest' } });
    if (told.kind !== 'ANSWER' || (told.status !== 200 && told.status !== 404)) return;
    const answered = performance.now();
    const value = told.status === 200 ? (etagOf(told) ?? '') : '';
    if (value !== '' && method === 'GET') this.#checkBytes(name, value, told);
    const age = String(told.headers['x-tidegate-age-ms'] ?? '');
    if (!/^(\d+|unknown)$/.test(age)) return found('unreadable', `${name} was given by one cluster without an age`);
    // The answer was made later than this.
    const asOf = age === 'unknown' ? undefined : called - Number(age);
    this.nearest.set(name, [...(this.nearest.get(name) ?? []), { asOf, answered, value }]);
  }

  async delete(at: At, name: string): Promise<boolean> {
    const called = performance.now();
    const told = await this.#ask(at, { method: 'DELETE', path: this.#path(name) });
    const did = told.kind === 'ANSWER' && told.status === 204;
    this.#wrote(name, called, { kind: 'delete' }, told, did);
    return did;
  }

  /** True if there was an answer. */
  async list(at: At, prefix = ''): Promise<boolean> {
    const known = this.names.filter((name) => name.startsWith(prefix));
    const called = performance.now();
    const path = `/${this.#options.container}?list-type=2&prefix=${encodeURIComponent(prefix)}`;
    const told = await this.#ask(at, { method: 'GET', path });
    if (told.kind !== 'ANSWER' || told.status !== 200) return false;
    const answered = performance.now();
    const listed = [...told.text.matchAll(/<Contents>(.*?)<\/Contents>/gs)].map(([, text = '']) => ({
      name: /<Key>(.*?)<\/Key>/.exec(text)?.[1] ?? '',
      etag: /<ETag>.*?([0-9a-f]{32}(?:-\d+)?).*?<\/ETag>/.exec(text)?.[1],
    }));
    const names = listed.map(({ name }) => name);
    if (names.join() !== [...new Set(names)].sort().join())
      this.#options.found('listWrong', `a listing is not in the order of names, or has one twice: ${names.join()}`);
    // A name whose first write is in flight may already be listed.
    const now = new Set(this.names);
    for (const name of names)
      if (!now.has(name)) this.#options.found('listWrong', `${name} is listed, and nobody wrote it`);
    const tags = new Map(listed.map(({ name, etag }) => [name, etag]));
    for (const name of known)
      this.#entries(name).push({ called, answered, step: { kind: 'read', got: tags.get(name), listed: true } });
    return true;
  }

  /** Writes a unique body. */
  async put(at: At, name: string, condition: 'put' | 'create' | 'replace' = 'put'): Promise<boolean> {
    const { random } = this.#options;
    const { body, etag } = this.#body(sizeOf(random));
    const of = this.#lastSeen.get(name) ?? '0'.repeat(32);
    const headers: Readonly<Record<string, string>> = {
      ...this.#option(),
      ...(condition === 'create' ? { 'if-none-match': '*' } : {}),
      ...(condition === 'replace' ? { 'if-match': `"${of}"` } : {}),
    };
    this.#entries(name);
    const called = performance.now();
    const told = await this.#ask(at, { method: 'PUT', path: this.#path(name), body, headers });
    const did = told.kind === 'ANSWER' && told.status === 200;
    if (condition === 'put') return this.#wrote(name, called, { kind: 'put', value: etag }, told, did);
    const isRefused =
      told.kind === 'ANSWER' && (told.status === 412 || (condition === 'replace' && told.status === 404));
    const fate = did ? true : isRefused ? false : undefined;
    const step: Step =
      condition === 'create'
        ? { kind: 'create', value: etag, did: fate }
        : { kind: 'replace', value: etag, of, did: fate };
    return this.#wrote(name, called, step, told, did || isRefused);
  }

  #act(at: At): Promise<unknown> {
    const { random } = this.#options;
    const action = random.pick(drawn);
    const name = random.next() < 0.5 ? `hot-${random.integer(1, hotNames)}` : `cold-${random.integer(1, coldNames)}`;
    switch (action) {
      case 'put':
      case 'create':
      case 'replace':
        return this.put(at, name, action);
      case 'delete':
        return this.delete(at, name);
      case 'copy':
        return this.#copy(at, name);
      case 'multipart':
        return this.#multipart(at, name);
      case 'get':
        return this.read(at, name);
      case 'head':
        return this.#head(at, name);
      case 'nearest':
        return this.readNearest(at, name);
      case 'list':
        return this.list(at, random.pick(['', 'hot-', 'cold-']));
    }
  }

  async #head(at: At, name: string): Promise<void> {
    const called = performance.now();
    const told = await this.#ask(at, { method: 'HEAD', path: this.#path(name) });
    if (told.kind !== 'ANSWER') return;
    const etag = etagOf(told);
    if (told.status === 404) this.#sawAt(name, called, undefined);
    else if (told.status === 200 && etag !== undefined) this.#sawAt(name, called, etag);
  }

  /** Copies a source only once, so that the copy has a unique value, too. */
  async #copy(at: At, name: string): Promise<void> {
    this.#unique += 1;
    const source = `source-${this.#unique}`;
    if (!(await this.put(at, source))) return;
    const value = this.#lastSeen.get(source) ?? '';
    this.#entries(name);
    const called = performance.now();
    const headers = { ...this.#option(), 'x-amz-copy-source': `/${this.#options.container}/${source}` };
    const told = await this.#ask(at, { method: 'PUT', path: this.#path(name), headers });
    if (told.kind === 'ANSWER' && told.code === 'NoSuchKey') this.#sawAt(source, called, undefined);
    const did = told.kind === 'ANSWER' && told.status === 200 && told.code === undefined;
    this.#wrote(name, called, { kind: 'put', value }, told, did);
    await this.delete(at, source);
  }

  async #multipart(at: At, name: string): Promise<void> {
    const { random } = this.#options;
    const path = this.#path(name);
    const begun = await this.#ask(at, { method: 'POST', path: `${path}?uploads`, headers: this.#option() });
    const id = begun.kind === 'ANSWER' ? /<UploadId>(.*?)<\/UploadId>/.exec(begun.text)?.[1] : undefined;
    if (id === undefined) return;
    const sizes = random.next() < 0.1 ? [smallestPart, 1_000] : [random.integer(8, 200_000)];
    const parts: { readonly body: Buffer; readonly etag: string }[] = [];
    for (const [index, size] of sizes.entries()) {
      const part = this.#body(size);
      const query = `?partNumber=${index + 1}&uploadId=${id}`;
      const told = await this.#ask(at, { method: 'PUT', path: `${path}${query}`, body: part.body });
      if (told.kind !== 'ANSWER' || told.status !== 200) return;
      parts.push(part);
    }
    if (random.next() < 0.2) {
      await this.#ask(at, { method: 'DELETE', path: `${path}?uploadId=${id}` });
      return;
    }
    const hash = createHash('md5');
    for (const { etag } of parts) hash.update(Buffer.from(etag, 'hex'));
    const value = `${hash.digest('hex')}-${parts.length}`;
    const whole = createHash('md5');
    for (const { body } of parts) whole.update(body);
    this.contents.set(value, whole.digest('hex'));
    const xml = parts.map(({ etag }, at) => `<Part><PartNumber>${at + 1}</PartNumber><ETag>"${etag}"</ETag></Part>`);
    const body = `<CompleteMultipartUpload>${xml.join('')}</CompleteMultipartUpload>`;
    this.#entries(name);
    const called = performance.now();
    const told = await this.#ask(at, { method: 'POST', path: `${path}?uploadId=${id}`, body });
    const did = told.kind === 'ANSWER' && told.status === 200 && told.code === undefined;
    this.#wrote(name, called, { kind: 'put', value }, told, did);
  }

  #checkBytes(name: string, etag: string, { body }: Extract<Told, { kind: 'ANSWER' }>): void {
    if (createHash('md5').update(body).digest('hex') !== this.contents.get(etag))
      this.#options.found('unreadable', `${name} was given with other bytes than ${etag} has`);
  }

  /** The option to use for the bytes. */
  #option(): Readonly<Record<string, string>> {
    const { random, otherOption } = this.#options;
    return otherOption !== undefined && random.next() < otherShare ? { 'x-tidegate-option': otherOption } : {};
  }

  #sawAt(name: string, called: number, got: string | undefined): { readonly got: string | undefined } {
    this.#entries(name).push({ called, answered: performance.now(), step: { kind: 'read', got } });
    if (got === undefined) this.#lastSeen.delete(name);
    else this.#lastSeen.set(name, got);
    return { got };
  }

  /** `isTold`: whether the answer reports that it happened, or that its condition refused it. */
  #wrote(name: string, called: number, step: Step, told: Told, isTold: boolean): boolean {
    if (isTold) {
      this.#entries(name).push({ called, answered: performance.now(), step });
      if ('value' in step && !('did' in step && step.did === false)) this.#lastSeen.set(name, step.value);
    } else if (mayHaveHappened(told)) this.#entries(name).push({ called, answered: Number.POSITIVE_INFINITY, step });
    return isTold;
  }

  async #ask({ cluster, client }: At, sent: Sent): Promise<Told> {
    const { deadlineMs, served } = this.#options;
    const called = performance.now();
    const told = await ask(client, sent, this.#agent, deadlineMs);
    this.operations += 1;
    if (served(cluster, called, performance.now())) {
      this.counted += 1;
      if (told.kind === 'ANSWER' && told.status < 500 && told.code !== 'ServiceUnavailable') this.acknowledged += 1;
    }
    return told;
  }

  #body(sizeBytes: number): { readonly body: Buffer; readonly etag: string } {
    this.#unique += 1;
    const body = Buffer.alloc(sizeBytes, `${this.#options.container} ${this.#unique} `);
    // A short body must be unique too.
    body.write(`${this.#unique}`.padStart(8, '0').slice(-sizeBytes));
    const etag = createHash('md5').update(body).digest('hex');
    this.contents.set(etag, etag);
    return { body, etag };
  }

  #entries(name: string): Entry[] {
    const known = this.log.get(name) ?? [];
    this.log.set(name, known);
    return known;
  }

  #path(name: string): string {
    return `/${this.#options.container}/${name}`;
  }
}

/** Most bodies fit into the row of their register, some are blobs of one block, and a few have several blocks. */
function sizeOf(random: Random): number {
  const kind = random.next();
  if (kind < 0.55) return random.integer(8, 4_096);
  return kind < 0.95 ? random.integer(4_097, 200_000) : random.integer(1_000_000, 2_500_000);
}

function etagOf(told: Extract<Told, { kind: 'ANSWER' }>): string | undefined {
  return /[0-9a-f]{32}(?:-\d+)?/.exec(told.headers.etag ?? '')?.[0];
}
