// Another cluster, seen from this one: a replica of the registers and a store of blobs like its own, and their progress in catching up.
// Every request ends: by a deadline or, for blobs, when no bytes move any more.
import type { z } from 'zod';
import type { MachineName } from '../../../../platform/machines/machine.ts';
import type { MutualTls } from '../../../../platform/machines/tls.ts';
import { NotSentError } from '../../../../platform/registers/errors.ts';
import { jsonIn } from '../../../../platform/values/json.ts';
import {
  BlobDamagedError,
  BlobRangeError,
  BlobTooLargeError,
  DiskFullError,
  NoBlobError,
} from '../blobs/blob-errors.ts';
import {
  type BlobOnDisk,
  type BlobPlace,
  type BlobRead,
  type BlobStore,
  type ByteRange,
  type ListedBlob,
  mostBlobBytes,
} from '../blobs/blob-store.ts';
import type { ListAnswer, ListRequest, Replica, ReplicaAnswer, ReplicaRequest } from '../store/register.ts';
import { Batches } from './batches.ts';
import { packMessage, unpackMessage } from './message.ts';
import { PeerBody } from './peer-body.ts';
import { type Answered, answeredBy, PeerPlace } from './peer-place.ts';
import {
  blobListShape,
  blobsPath,
  callsPath,
  failureShape,
  listAnswerShape,
  noRoom,
  placeHeader,
  placeText,
  registersPath,
  sizeHeader,
  writtenShape,
} from './peer-wire.ts';
import { Progress } from './progress.ts';
import { readAnswer, readAnswers } from './register-messages.ts';

export interface PeerClientOptions {
  /** Number of the other cluster. */
  readonly cluster: number;
  /** https://HOST:PORT of its servers, which share one database and one disk. */
  readonly urls: readonly string[];
  readonly tls: MutualTls;
  /** Undefined if the documents name no such cluster. */
  readonly clusterOf: (machine: MachineName) => number | undefined;
  /** Deadline of an answer; default 2 s. */
  readonly deadlineMs?: number;
  /** A blob transfer without progress is given up after this time; default 10 s. */
  readonly silentMs?: number;
}

interface CallOptions {
  readonly deadlineMs?: number;
  readonly signal?: AbortSignal;
}

const batchesAtOnce = 8;
const usualDeadlineMs = 2_000;
const usualSilentMs = 10_000;
/** A measured response time is valid for this long. */
const measuredMs = 30_000;

export class PeerClient implements Replica, BlobStore {
  readonly cluster: number;
  readonly #deadlineMs: number;
  readonly #silentMs: number;
  readonly #places: readonly PeerPlace[];
  readonly #batches: Batches;
  /** Index in `places` of the one that answered last. */
  #at = 0;
  /** Smoothed response time of registers. */
  #took = { ms: 0, atMs: Number.NEGATIVE_INFINITY };

  constructor(options: PeerClientOptions) {
    const { cluster, urls, tls, clusterOf, deadlineMs = usualDeadlineMs, silentMs = usualSilentMs } = options;
    this.cluster = cluster;
    this.#deadlineMs = deadlineMs;
    this.#silentMs = silentMs;
    this.#places = urls.map((url) => new PeerPlace({ url, cluster, tls, clusterOf }));
    this.#batches = new Batches({
      deadlineMs,
      batchesAtOnce,
      send: (requests, leftMs) => this.#sendBatch(requests, leftMs),
    });
  }

  /** Whether to send requests: false if the cluster was silent a moment ago. */
  get isReachable(): boolean {
    return this.#places.some((place) => !place.isOpen);
  }

  /** After a while without requests the cluster counts as near, so that it is tried again. */
  distanceMs(): number {
    if (!this.isReachable) return Number.POSITIVE_INFINITY;
    return performance.now() - this.#took.atMs > measuredMs ? 0 : this.#took.ms;
  }

  /** Requests in flight fail. */
  async close(): Promise<void> {
    await Promise.all(this.#places.map((place) => place.close()));
  }

  /** Rejects with NotSentError if the request certainly did not arrive. After any other error it may have. */
  ask(request: ReplicaRequest): Promise<ReplicaAnswer> {
    return this.#batches.ask(request);
  }

  list(request: ListRequest): Promise<ListAnswer>;
  list(ring: number, partition: number, after: string, limit: number): Promise<readonly ListedBlob[]>;
  list(
    ...args: [ListRequest] | [number, number, string, number]
  ): Promise<ListAnswer> | Promise<readonly ListedBlob[]> {
    if (args.length === 1) return this.call('list', args[0], listAnswerShape);
    const [ring, partition, after, limit] = args;
    return this.call('listBlobs', { ring, partition, after, limit }, blobListShape);
  }

  /** A call by name, registered in the other's PeerServer. */
  async call<Output>(
    name: string,
    input: unknown,
    output: z.ZodType<Output>,
    { deadlineMs = this.#deadlineMs, signal }: CallOptions = {},
  ): Promise<Output> {
    const answered = await this.#message(`${callsPath}${name}`, packMessage(input), deadlineMs, signal);
    const answer = output.safeParse(answered);
    if (!answer.success)
      throw new Error(`cluster ${this.cluster} answered ${name} with an unexpected message: ${answer.error.message}`);
    return answer.data;
  }

  async write(id: string, place: BlobPlace, body: AsyncIterable<Buffer>, signal?: AbortSignal): Promise<BlobOnDisk> {
    const progress = new Progress(this.#silentMs, `cluster ${this.cluster} takes no bytes of the blob ${id}`, signal);
    const watched = async function* () {
      for await (const chunk of body) {
        progress.expect();
        yield chunk;
        progress.pause();
      }
      progress.expect();
    };
    try {
      const { reply, ended } = await this.#stream({
        ...{ method: 'PUT', path: `${blobsPath}${id}`, headers: { [placeHeader]: placeText(place) } },
        ...{ body: watched() as never, signal: progress.signal },
      });
      try {
        const answered = await answeredBy(reply);
        const written = writtenShape.safeParse(jsonIn(answered.body.toString('utf8')));
        if (answered.status !== 200 || !written.success) throw this.#failureIn(answered, id);
        return written.data;
      } finally {
        ended();
      }
    } finally {
      progress.end();
    }
  }

  async read(id: string, range?: ByteRange): Promise<BlobRead> {
    const query = range === undefined ? '' : `?first=${range.firstByte}&last=${range.lastByte}`;
    const { reply, ended } = await this.#stream({
      ...{ method: 'GET', path: `${blobsPath}${id}${query}` },
      ...{ headersTimeout: this.#deadlineMs, bodyTimeout: this.#silentMs },
    });
    try {
      if (reply.statusCode !== 200) throw this.#failureIn(await answeredBy(reply), id);
      const sizeBytes = Number(reply.headers[sizeHeader]);
      if (!(sizeBytes >= 0 && sizeBytes <= mostBlobBytes))
        throw new Error(`cluster ${this.cluster} did not send the size of the blob ${id}`);
      const { firstByte, lastByte } = range ?? { firstByte: 0, lastByte: sizeBytes - 1 };
      return { sizeBytes, body: new PeerBody({ id, reply, ended, sizeBytes: lastByte + 1 - firstByte }) };
    } catch (error) {
      reply.body.on('error', () => undefined).destroy();
      ended();
      throw error;
    }
  }

  async delete(id: string): Promise<void> {
    await this.#message(`${callsPath}deleteBlob`, packMessage({ id }), this.#deadlineMs);
  }

  async #sendBatch(requests: readonly ReplicaRequest[], leftMs: number): Promise<readonly (ReplicaAnswer | Error)[]> {
    const fromMs = performance.now();
    const told = await this.#message(registersPath, packMessage({ requests }), leftMs);
    const tookMs = performance.now() - fromMs;
    this.#measured(tookMs);
    const answers = readAnswers(told);
    const hasNoRoom = (at: number) =>
      at > 0 && (answers[at] as { readonly error?: string } | undefined)?.error === noRoom;
    const later = await this.#askAgain(
      requests.filter((_, at) => hasNoRoom(at)),
      leftMs - tookMs,
    );
    return answers.map((each, at) => {
      if (hasNoRoom(at)) return later.shift() ?? new Error(`cluster ${this.cluster} left out an answer`);
      if ('error' in each) return new Error(`cluster ${this.cluster}: ${each.error}`);
      try {
        return readAnswer(each.answer);
      } catch (error) {
        return new Error(`cluster ${this.cluster} answered with an unexpected message`, { cause: error });
      }
    });
  }

  /** These were carried out, and are carried out again: of an error nobody knows whether they were. */
  async #askAgain(requests: readonly ReplicaRequest[], leftMs: number): Promise<(ReplicaAnswer | Error)[]> {
    if (requests.length === 0) return [];
    try {
      return [...(await this.#sendBatch(requests, Math.max(1, Math.ceil(leftMs))))];
    } catch (error) {
      return requests.map(() => new Error(`cluster ${this.cluster} left out an answer`, { cause: error }));
    }
  }

  #measured(ms: number): void {
    const before = this.#took.atMs === Number.NEGATIVE_INFINITY ? ms : this.#took.ms;
    this.#took = { ms: before + (ms - before) / 8, atMs: performance.now() };
  }

  /** Returns the decoded answer. */
  async #message(path: string, packed: Buffer, deadlineMs: number, signal?: AbortSignal): Promise<unknown> {
    const answered = await this.#atSome((place) => place.message(path, packed, deadlineMs, signal));
    if (answered.status !== 200) throw this.#failureIn(answered, '');
    return (unpackMessage(answered.body) as { readonly answer?: unknown } | null)?.answer;
  }

  #stream(request: Parameters<PeerPlace['stream']>[0]): ReturnType<PeerPlace['stream']> {
    return this.#atSome((place) => place.stream(request));
  }

  /** Uses the first place that can be reached. Tries the next one if certainly nothing was sent. */
  async #atSome<Result>(ask: (place: PeerPlace) => Promise<Result>): Promise<Result> {
    let failure: unknown;
    for (let tried = 0; tried < this.#places.length; tried += 1) {
      const place = this.#places[this.#at % this.#places.length];
      try {
        if (place !== undefined) return await ask(place);
      } catch (error) {
        if (!(error instanceof NotSentError)) throw error;
        failure = error;
        this.#at = (this.#at + 1) % this.#places.length;
      }
    }
    throw failure ?? new NotSentError(`the documents have no address of cluster ${this.cluster}`);
  }

  #failureIn({ status, body }: Answered, id: string): Error {
    const read = failureShape.safeParse(jsonIn(body.toString('utf8')));
    if (!read.success) return new Error(`cluster ${this.cluster} answered HTTP ${status}`);
    const { code, message, block, sizeBytes } = read.data;
    switch (code) {
      case 'NO_BLOB':
        return new NoBlobError(id);
      case 'DAMAGED':
        return new BlobDamagedError(id, block);
      case 'RANGE':
        return new BlobRangeError(id, sizeBytes ?? 0);
      case 'TOO_LARGE':
        return new BlobTooLargeError(mostBlobBytes);
      case 'DISK_FULL':
        return new DiskFullError(`cluster ${this.cluster}`);
      default:
        return new Error(`cluster ${this.cluster}: ${message}`);
    }
  }
}
