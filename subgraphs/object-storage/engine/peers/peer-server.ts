// Serves requests of other clusters' servers and controllers: to the replica of the registers, to the blobs, and for catching up. Callers
// are identified by their machines' certificates. Only clusters that the documents name get answers.
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { TLSSocket } from 'node:tls';
import { z } from 'zod';
import { HttpError, readBody } from '../../../../platform/graph/http-body.ts';
import { InternalServer, sendJson } from '../../../../platform/graph/internal-server.ts';
import type { Logger } from '../../../../platform/log/log.ts';
import { type MachineName, machineOf } from '../../../../platform/machines/machine.ts';
import type { MutualTls } from '../../../../platform/machines/tls.ts';
import { controllerRole } from '../../wire/controller-wire.ts';
import {
  BlobDamagedError,
  BlobIdError,
  BlobRangeError,
  BlobTooLargeError,
  DiskFullError,
  NoBlobError,
} from '../blobs/blob-errors.ts';
import { isBlobId } from '../blobs/blob-id.ts';
import type { BlobStore, ByteRange } from '../blobs/blob-store.ts';
import { giveBack } from '../blobs/block-buffers.ts';
import { messageOf } from '../message-of.ts';
import type { ListAnswer, Replica, ReplicaAnswer } from '../store/register.ts';
import { packMessage, unpackMessage } from './message.ts';
import {
  blobId,
  blobListRequestShape,
  blobsPath,
  callsPath,
  damagedTrailer,
  listRequestShape,
  mostMessageBytes,
  noRoom,
  type PeerFailure,
  placeHeader,
  readPlace,
  registersPath,
  serverRole,
  sizeHeader,
} from './peer-wire.ts';
import { MessageError, readBatch, readRequest } from './register-messages.ts';

/** A call from another cluster. */
interface PeerCall<Input> {
  readonly input: z.ZodType<Input>;
  /** `signal`: aborted when the caller disconnects. */
  answer(cluster: number, input: Input, signal: AbortSignal): Promise<unknown>;
}

export type PeerCalls = Readonly<Record<string, PeerCall<unknown>>>;

/** Parses the input with the call's own shape. */
export function peerCall<Input>(call: PeerCall<Input>): PeerCall<unknown> {
  return call as PeerCall<unknown>;
}

export interface PeerServerOptions {
  readonly host: string;
  /** 0 for any free port. */
  readonly port: number;
  readonly tls: MutualTls;
  readonly log: Logger;
  /** Undefined if the documents name no such cluster. */
  readonly clusterOf: (machine: MachineName) => number | undefined;
  readonly replica: Replica;
  readonly blobs: BlobStore;
  /** By name, which has letters only. */
  readonly calls?: PeerCalls;
  /** A connection without progress is closed after this time; default 60 s. */
  readonly silentMs?: number;
}

const usualSilentMs = 60_000;
/** Concurrent requests of one cluster. More are refused. */
const mostRequests = 256;
const mostStreams = 256;
const mostWaitingBytes = 4 * mostMessageBytes;
/** A quarter of what a message holds: several pages are in memory at once. */
const mostListBytes = mostMessageBytes / 4;
/** Size of an answer without its value, at most. */
const bytesPerAnswer = 512;
/** A client that keeps sending a refused request is cut off after this time. */
const refusedMs = 2_000;

interface Load {
  requests: number;
  streams: number;
  /** Size of messages being received or answered. */
  bytes: number;
}

export class PeerServer {
  readonly #options: PeerServerOptions;
  readonly #server: InternalServer;
  readonly #calls: PeerCalls;
  readonly #machines = new WeakMap<object, MachineName>();
  readonly #loads = new Map<number, Load>();
  #url = '';
  #isDraining = false;

  private constructor(options: PeerServerOptions) {
    const { host, port, tls, log, replica, blobs, silentMs = usualSilentMs } = options;
    this.#options = options;
    this.#calls = {
      ...options.calls,
      list: peerCall({
        input: listRequestShape,
        answer: async (_, input) => listedWithinMessage(await replica.list(input)),
      }),
      listBlobs: peerCall({
        input: blobListRequestShape,
        answer: (_, { ring, partition, after, limit }) => blobs.list(ring, partition, after, limit),
      }),
      deleteBlob: peerCall({ input: z.object({ id: blobId }), answer: (_, { id }) => blobs.delete(id) }),
    };
    this.#server = new InternalServer({
      ...{ name: 'the server of other clusters', host, port, tls, log, roles: [serverRole, controllerRole], silentMs },
      answer: (request, response) => this.#answer(request, response),
    });
  }

  /** Rejects if the port is in use. */
  static async listen(options: PeerServerOptions): Promise<PeerServer> {
    const server = new PeerServer(options);
    server.#url = (await server.#server.listen()).url;
    return server;
  }

  get url(): string {
    return this.#url;
  }

  /** Accepts no new connections, and closes existing ones after their requests. */
  drain(deadlineMs?: number): Promise<void> {
    this.#isDraining = true;
    return this.#server.drain(undefined, deadlineMs);
  }

  /** Closes everything at once. */
  stop(): Promise<void> {
    return this.#server.stop();
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (this.#isDraining) response.setHeader('connection', 'close');
    const machine = this.#machineOf(request);
    const cluster = machine && this.#options.clusterOf(machine);
    if (machine === undefined || cluster === undefined) {
      this.#options.log.warn({ machine: machine?.name }, 'refused a server of a cluster that no document names');
      return refuse(request, response, 403, 'REFUSED', 'no document names your cluster');
    }
    const load = this.#loads.get(cluster) ?? { requests: 0, streams: 0, bytes: 0 };
    this.#loads.set(cluster, load);
    const { pathname, searchParams } = new URL(request.url ?? '', 'https://peer');
    if (pathname.startsWith(blobsPath)) {
      if (load.streams >= mostStreams) return refuse(request, response, 429, 'BUSY', 'too many blobs at once');
      return counted(load, 'streams', 1, () =>
        this.#blob(request, response, pathname.slice(blobsPath.length), searchParams),
      );
    }
    // Counted before it is received, because it is held in memory.
    const length = Number(request.headers['content-length'] ?? Number.NaN);
    if (!(length <= mostMessageBytes))
      return refuse(
        request,
        response,
        413,
        'REFUSED',
        `a message must state its length, at most ${mostMessageBytes} bytes`,
      );
    if (load.requests >= mostRequests || load.bytes + length > mostWaitingBytes)
      return refuse(request, response, 429, 'BUSY', 'too many requests at once');
    return counted(load, 'requests', 1, () =>
      counted(load, 'bytes', length, () => this.#message(request, response, cluster, pathname)),
    );
  }

  #machineOf({ socket }: IncomingMessage): MachineName | undefined {
    const known = this.#machines.get(socket);
    if (known !== undefined) return known;
    const machine = machineOf({ subjectAltName: (socket as TLSSocket).getPeerCertificate().subjectaltname });
    if (machine !== undefined) this.#machines.set(socket, machine);
    return machine;
  }

  async #message(request: IncomingMessage, response: ServerResponse, cluster: number, path: string): Promise<void> {
    const gone = new AbortController();
    response.once('close', () => {
      if (!response.writableFinished) gone.abort(new Error('the caller has disconnected'));
    });
    try {
      if (request.method !== 'POST') throw new HttpError(405, 'send messages by POST');
      const message = unpackMessage(await readBody(request, mostMessageBytes));
      const answer =
        path === registersPath ? await this.#batch(message) : await this.#call(path, cluster, message, gone.signal);
      const packed = packMessage({ answer });
      if (packed.length > mostMessageBytes) throw new Error(`the answer to ${path} has ${packed.length} bytes`);
      if (response.destroyed) return;
      response.writeHead(200, { 'content-type': 'application/octet-stream', 'content-length': packed.length });
      response.end(packed);
    } catch (error) {
      this.#fail(request, response, error);
    }
  }

  /** All requests are started in one turn of the event loop, so that the replica may do them together. */
  async #batch(message: unknown): Promise<readonly unknown[]> {
    const answers = await Promise.all(
      batchIn(message).map(async (each): Promise<BatchAnswer> => {
        try {
          return { answer: await this.#options.replica.ask(readRequest(each)) };
        } catch (error) {
          if (error instanceof MessageError) return { error: `not a request: ${error.message}`.slice(0, 500) };
          this.#options.log.warn({ err: error }, 'a request of another cluster failed');
          return { error: messageOf(error).slice(0, 500) };
        }
      }),
    );
    return withinMessage(answers);
  }

  async #call(path: string, cluster: number, message: unknown, signal: AbortSignal): Promise<unknown> {
    const name = path.startsWith(callsPath) ? path.slice(callsPath.length) : '';
    const call = Object.hasOwn(this.#calls, name) ? this.#calls[name] : undefined;
    if (call === undefined)
      throw new HttpError(404, `there is no call ${path.slice(0, 80)}: run the same release in all clusters`);
    const input = call.input.safeParse(message);
    if (!input.success) throw new HttpError(400, `${name}: ${z.prettifyError(input.error)}`);
    return call.answer(cluster, input.data, signal);
  }

  async #blob(request: IncomingMessage, response: ServerResponse, id: string, search: URLSearchParams): Promise<void> {
    try {
      if (!isBlobId(id)) throw new HttpError(400, 'not a blob id');
      if (request.method === 'PUT') await this.#put(request, response, id);
      else if (request.method === 'GET') await this.#get(response, id, rangeOf(search));
      else throw new HttpError(405, 'send blobs by PUT and get them by GET');
    } catch (error) {
      this.#fail(request, response, error);
    }
  }

  async #put(request: IncomingMessage, response: ServerResponse, id: string): Promise<void> {
    const place = readPlace(String(request.headers[placeHeader] ?? ''));
    if (place === undefined) throw new HttpError(400, `the header ${placeHeader} is missing or malformed`);
    // The connection stays open: the refusal must still be sent.
    const body: AsyncIterable<Buffer> = request.iterator({ destroyOnReturn: false });
    const { sizeBytes, epoch } = await this.#options.blobs.write(id, place, body);
    sendJson(response, 200, { sizeBytes, epoch });
  }

  async #get(response: ServerResponse, id: string, range: ByteRange | undefined): Promise<void> {
    const { sizeBytes, body } = await this.#options.blobs.read(id, range);
    const iterator = body[Symbol.asyncIterator]();
    try {
      response.writeHead(200, { 'content-type': 'application/octet-stream', [sizeHeader]: sizeBytes });
      for (;;) {
        const next = await iterator.next();
        if (next.done === true) break;
        const { value } = next;
        const isTaken = response.write(value, (error) => {
          if (!error) giveBack(value);
        });
        if (!isTaken) await drained(response);
        if (response.destroyed) return;
      }
    } catch (error) {
      // The rest can't be read: the trailer has the reason.
      if (!(error instanceof BlobDamagedError)) throw error;
      response.addTrailers({ [damagedTrailer]: String(error.block) });
    } finally {
      await iterator.return?.();
    }
    response.end();
  }

  #fail(request: IncomingMessage, response: ServerResponse, error: unknown): void {
    if (response.headersSent || response.destroyed || request.errored !== null) {
      response.destroy();
      return;
    }
    const { status, ...failure } = failureOf(error);
    if (status === 500) this.#options.log.warn({ err: error, url: request.url }, 'a request of another cluster failed');
    refuse(request, response, status, failure.code, failure.message, failure);
  }
}

type BatchAnswer = { readonly answer: ReplicaAnswer } | { readonly error: string };

/** A few hundred values of large objects are more than a message holds. The first one always has room. */
function withinMessage(answers: readonly BatchAnswer[]): readonly BatchAnswer[] {
  let bytes = 0;
  return answers.map((each) => {
    const value = 'answer' in each && each.answer.refused === undefined ? each.answer.row?.value : undefined;
    const size = Buffer.byteLength(JSON.stringify(value?.head ?? '')) + (value?.body?.length ?? 0) + bytesPerAnswer;
    if (bytes + size > mostMessageBytes) return { error: noRoom };
    bytes += size;
    return each;
  });
}

/** A page of long heads ends earlier. Its first row always has room. */
function listedWithinMessage(listed: ListAnswer): ListAnswer {
  if (listed.refused !== undefined) return listed;
  let bytes = 0;
  const end = listed.rows.findIndex(({ name, head }, at) => {
    bytes += Buffer.byteLength(JSON.stringify([name, head ?? ''])) + bytesPerAnswer;
    return at > 0 && bytes > mostListBytes;
  });
  return end < 0 ? listed : { ...listed, rows: listed.rows.slice(0, end), isWhole: false };
}

function batchIn(message: unknown): readonly unknown[] {
  try {
    return readBatch(message);
  } catch (error) {
    throw new HttpError(400, messageOf(error));
  }
}

/** Answers and closes the connection: more of the request may be on its way. */
function refuse(
  request: IncomingMessage,
  response: ServerResponse,
  status: number,
  code: PeerFailure['code'],
  message: string,
  more: Partial<PeerFailure> = {},
): void {
  if (!request.complete) {
    response.setHeader('connection', 'close');
    const cut = setTimeout(() => request.destroy(), refusedMs).unref();
    request.once('close', () => clearTimeout(cut));
    request.resume();
  }
  sendJson(response, status, { ...more, code, message });
}

function failureOf(error: unknown): PeerFailure & { readonly status: number } {
  const message = messageOf(error).slice(0, 1_000);
  if (error instanceof HttpError) return { status: error.status, code: 'REFUSED', message };
  if (error instanceof NoBlobError) return { status: 404, code: 'NO_BLOB', message };
  if (error instanceof BlobDamagedError) return { status: 500, code: 'DAMAGED', message, block: error.block };
  if (error instanceof BlobRangeError) return { status: 416, code: 'RANGE', message, sizeBytes: error.sizeBytes };
  if (error instanceof BlobTooLargeError) return { status: 413, code: 'TOO_LARGE', message };
  if (error instanceof DiskFullError) return { status: 507, code: 'DISK_FULL', message };
  if (error instanceof BlobIdError) return { status: 400, code: 'REFUSED', message };
  return { status: 500, code: 'FAILED', message: 'the request failed: see the log of the other cluster' };
}

/** Undefined selects everything. */
function rangeOf(search: URLSearchParams): ByteRange | undefined {
  const [first, last] = [search.get('first'), search.get('last')];
  if (first === null && last === null) return undefined;
  if (!/^\d{1,15}$/.test(first ?? '') || !/^\d{1,15}$/.test(last ?? ''))
    throw new HttpError(400, 'a range has a first and a last byte');
  return { firstByte: Number(first), lastByte: Number(last) };
}

/** Also resolves if the other end is gone. */
function drained(response: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      response.off('drain', done);
      response.off('close', done);
      resolve();
    };
    response.on('drain', done);
    response.on('close', done);
    if (response.destroyed || !response.writableNeedDrain) done();
  });
}

async function counted(load: Load, what: keyof Load, by: number, work: () => Promise<void>): Promise<void> {
  load[what] += by;
  try {
    await work();
  } finally {
    load[what] -= by;
  }
}
