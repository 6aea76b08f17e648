// The limits of an S3 server for unknown clients, slow clients, concurrent requests and memory, and its shutdown.
// needs: load
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, test } from '@jest/globals';
import type {
  Caller,
  Got,
  ObjectHeaders,
  ObjectStat,
  Upload,
} from '../../../../../subgraphs/object-storage/engine/namespace/namespace.ts';
import { Pace } from '../../../../../subgraphs/object-storage/engine/s3/pace.ts';
import type { S3Options } from '../../../../../subgraphs/object-storage/engine/s3/server.ts';
import { patience } from '../../../../support/machine/patience.ts';
import { waitFor } from '../../../../support/machine/temporary-folder.ts';
import { MemoryNamespace } from '../../../../support/object-storage/memory-namespace.ts';
import type { S3TestClient } from '../../../../support/object-storage/s3-client.ts';
import { alice, bob, bobKey, startS3, type TestedS3 } from '../../../../support/object-storage/s3-server.ts';

const MiB = 1024 * 1024;
const running: TestedS3<MemoryNamespace>[] = [];
const sockets: Socket[] = [];

afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy();
  for (const { server } of running.splice(0)) await server.stop();
});

async function start(options: Partial<S3Options> & { readonly namespace?: MemoryNamespace } = {}) {
  const { namespace = new MemoryNamespace(), ...others } = options;
  const s3 = await startS3<MemoryNamespace>({ ...others, namespace });
  running.push(s3);
  await namespace.createContainer(alice, 'bucket');
  return { ...s3, alice: s3.client() };
}

function open(url: string): Socket {
  const { hostname, port } = new URL(url);
  const socket = connect({ host: hostname, port: Number(port) });
  socket.on('error', () => undefined);
  sockets.push(socket);
  return socket;
}

const closed = (socket: Socket) => new Promise<void>((resolve) => socket.once('close', () => resolve()));

describe('the pace of a client', () => {
  const limits = { waitMs: 30_000, slowestBytesPerSecond: 1_024 };
  const watched = () => {
    const state = { isCut: false };
    const transfer = new Pace(limits).watch(() => {
      state.isCut = true;
    });
    return { state, transfer };
  };

  test('lets an upload continue for hours while bytes arrive', () => {
    const { state, transfer } = watched();
    for (let second = 0; second < 5 * 3_600; second += 1) {
      transfer.wait();
      transfer.pass(1_000);
      transfer.goOn(2_048);
    }
    expect(state.isCut).toBe(false);
  });

  test('cuts off an upload that slows to a trickle, however much came before', () => {
    const { state, transfer } = watched();
    transfer.goOn(1_000 * MiB);
    let seconds = 0;
    for (; seconds < 3_600 && !state.isCut; seconds += 1) {
      transfer.wait();
      transfer.pass(1_000);
      transfer.goOn(10);
    }
    expect(seconds).toBeLessThan(40);
  });

  test('does not count time in which the server makes the client wait', () => {
    const { state, transfer } = watched();
    transfer.wait();
    transfer.goOn(1);
    for (let second = 0; second < 3_600; second += 1) transfer.pass(1_000);
    expect(state.isCut).toBe(false);
  });

  test('gives a reader as much time as the size of its object requires', () => {
    const { state, transfer } = watched();
    transfer.wait(100 * 1_024);
    transfer.pass(129_000);
    expect(state.isCut).toBe(false);
    transfer.pass(2_000);
    expect(state.isCut).toBe(true);
  });
});

describe('strangers', () => {
  test('that send nothing are cut off', async () => {
    const s3 = await start({ limits: { headersMs: 300 } });
    const silent = open(s3.url);
    const dripping = open(s3.url);
    const drip = setInterval(() => dripping.write('x'), 50);
    dripping.write('GET / HTTP/1.1\r\nx: ');
    await Promise.all([closed(silent.resume()), closed(dripping.resume())]);
    clearInterval(drip);
  });

  test('push each other out, and never a known client', async () => {
    const s3 = await start({ limits: { mostStrangers: 10 } });
    const known = open(s3.url);
    const { headers } = s3.alice.sign({ method: 'GET', path: '/' });
    const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}`);
    const ask = async () => {
      known.write(`GET / HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n`);
      return String((await once(known, 'data'))[0]);
    };
    expect(await ask()).toContain('200 OK');
    const strangers = Array.from({ length: 30 }, () => open(s3.url));
    const ended = new Set<Socket>();
    for (const each of strangers) each.once('close', () => ended.add(each)).resume();
    await waitFor('the oldest strangers to be pushed out', () => ended.size >= 20);
    expect((await s3.alice.send({ method: 'GET', path: '/' })).status).toBe(200);
    expect(await ask()).toContain('200 OK');
    expect(ended.size).toBeLessThanOrEqual(21);
  });

  test('get no second request on a connection', async () => {
    const s3 = await start();
    const socket = open(s3.url);
    let answers = '';
    socket.on('data', (data) => {
      answers += data;
    });
    const request = 'GET /bucket HTTP/1.1\r\nhost: x\r\n\r\n';
    socket.write(request + request);
    await closed(socket);
    expect(answers.match(/HTTP\/1.1/g)).toHaveLength(1);
    expect(answers).toContain('403 Forbidden');
  });
});

describe('slow clients', () => {
  const limits = { waitMs: 1_000, slowestBytesPerSecond: 1_000_000 };

  test('that stop sending get an error and are cut off, and nothing is stored', async () => {
    const s3 = await start({ limits });
    const sent = { method: 'PUT', path: '/bucket/slow', contentSha256: 'UNSIGNED-PAYLOAD' };
    const request = s3.alice.open({ ...sent, headers: { ...s3.alice.sign(sent).headers, 'content-length': '1000' } });
    request.write('some');
    const [response] = await once(request, 'response');
    expect(response.statusCode).toBe(400);
    const [text] = await once(response, 'data');
    expect(String(text)).toContain('<Code>RequestTimeout</Code>');
    await new Promise((resolve) => request.once('close', resolve).once('error', resolve));
    expect((await s3.alice.send({ method: 'GET', path: '/bucket/slow' })).status).toBe(404);
  });

  test('that send the rest after the error are still not stored', async () => {
    const s3 = await start({ limits });
    let stored = 0;
    const { put } = s3.namespace;
    s3.namespace.put = async (...given) => {
      const stat = await put.apply(s3.namespace, given);
      stored += 1;
      return stat;
    };
    const sent = { method: 'PUT', path: '/bucket/slow', contentSha256: 'UNSIGNED-PAYLOAD' };
    const request = s3.alice.open({ ...sent, headers: { ...s3.alice.sign(sent).headers, 'content-length': '1000' } });
    request.write('some');
    const [response] = await once(request, 'response');
    expect(response.statusCode).toBe(400);
    request.on('error', () => undefined).end('x'.repeat(996));
    response.on('error', () => undefined).resume();
    await waitFor('the request to end', () => s3.server.requests === 0);
    expect(stored).toBe(0);
    expect((await s3.alice.send({ method: 'GET', path: '/bucket/slow' })).status).toBe(404);
  });

  test('that do not read a listing are cut off', async () => {
    const s3 = await start({ limits });
    for (let at = 0; at < 1_000; at += 1)
      await s3.namespace.put(
        alice,
        'bucket',
        `${'n'.repeat(900)}${at}`,
        { body: one(Buffer.alloc(1)) },
        { contentType: 'x', metadata: {} },
      );
    const { headers } = s3.alice.sign({ method: 'GET', path: '/bucket' });
    const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}`);
    const socket = open(s3.url).pause();
    const request = `GET /bucket HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n`;
    socket.write(request.repeat(20));
    await waitFor('the connection to be there', () => s3.server.connections === 1);
    await waitFor('the connection to be cut', () => s3.server.connections === 0);
  });

  test('that do not read are cut off', async () => {
    const s3 = await start({ limits });
    const body = { body: one(Buffer.alloc(64 * MiB)) };
    await s3.namespace.put(alice, 'bucket', 'big', body, { contentType: 'x', metadata: {} });
    const sent = { method: 'GET', path: '/bucket/big' };
    const request = s3.alice.open({ ...sent, headers: s3.alice.sign(sent).headers });
    request.end();
    const [response] = await once(request, 'response');
    await waitFor('the connection to be cut', () => s3.server.connections === 0);
    await expect(response.resume().toArray()).rejects.toThrow('aborted');
  });
});

test('XML of many concurrent requests is bounded', async () => {
  const s3 = await start({ limits: { mostDocumentBytes: 100_000 } });
  const bodyOf = (count: number) =>
    `<Delete>${Array.from({ length: count }, (_, at) => `<Object><Key>${'x'.repeat(500)}${at}</Key></Object>`).join('')}</Delete>`;
  const sent = { method: 'POST', path: '/bucket?delete', contentSha256: 'UNSIGNED-PAYLOAD' };
  const length = String(Buffer.byteLength(bodyOf(150)));
  const first = s3.alice.open({ ...sent, headers: { ...s3.alice.sign(sent).headers, 'content-length': length } });
  first.write('<Delete>');
  await waitFor('the first request to be there', () => s3.server.requests === 1);
  expect(await s3.alice.send({ ...sent, body: bodyOf(50) })).toMatchObject({ status: 503, code: 'SlowDown' });
  first.end(bodyOf(150).slice('<Delete>'.length));
  expect((await once(first, 'response'))[0].statusCode).toBe(200);
  expect((await s3.alice.send({ ...sent, body: bodyOf(50) })).status).toBe(200);
});

async function* one(body: Buffer): AsyncGenerator<Buffer> {
  yield body;
}

test('requests above the limit get an error that asks for a retry', async () => {
  const s3 = await start({ limits: { mostRequests: 1 } });
  const sent = { method: 'PUT', path: '/bucket/waiting', contentSha256: 'UNSIGNED-PAYLOAD' };
  const first = s3.alice.open({ ...sent, headers: { ...s3.alice.sign(sent).headers, 'content-length': '4' } });
  first.write('bo');
  await waitFor('the first request to be there', () => s3.server.requests === 1);
  const second = await s3.alice.send({ method: 'GET', path: '/' });
  expect(second).toMatchObject({ status: 503, code: 'SlowDown', headers: { 'retry-after': '1' } });
  first.end('dy');
  expect((await once(first, 'response'))[0].statusCode).toBe(200);
});

describe('the share of an account', () => {
  const slow = (client: S3TestClient, path: string) => {
    const sent = { method: 'PUT', path, contentSha256: 'UNSIGNED-PAYLOAD' };
    const request = client.open({ ...sent, headers: { ...client.sign(sent).headers, 'content-length': '4' } });
    request.on('error', () => undefined);
    request.write('b');
    return request;
  };

  test('of requests leaves room for others, whatever the account sends above it', async () => {
    const s3 = await start({ limits: { mostRequests: 6, mostRequestsOfAccount: 4 } });
    await s3.namespace.createContainer(bob, 'bucket');
    const uploads = Array.from({ length: 20 }, (_, index) => slow(s3.alice, `/bucket/slow-${index}`));
    await waitFor('all of them to be there', () => s3.server.requests >= 4);
    const refused = uploads.map(async (upload) => {
      const [response] = await once(upload, 'response');
      return response.statusCode;
    });
    expect(await Promise.any(refused)).toBe(503);
    const answer = await s3.client(bobKey).send({ method: 'PUT', path: '/bucket/one', body: 'one' });
    expect(answer.status).toBe(200);
    expect(await s3.alice.send({ method: 'GET', path: '/' })).toMatchObject({ status: 503, code: 'SlowDown' });
    for (const upload of uploads) upload.destroy();
    await waitFor('all of them to be over', () => s3.server.requests === 0);
    expect((await s3.alice.send({ method: 'GET', path: '/' })).status).toBe(200);
  });

  test('of connections leaves room for others, and is given back', async () => {
    const s3 = await start({ limits: { mostSocketsOfAccount: 2 } });
    const [first, second] = [slow(s3.alice, '/bucket/a'), slow(s3.alice, '/bucket/b')];
    await waitFor('both to be there', () => s3.server.requests === 2);
    const third = await s3.alice.send({ method: 'GET', path: '/' });
    expect(third).toMatchObject({ status: 503, code: 'SlowDown', headers: { connection: 'close' } });
    expect((await s3.client(bobKey).send({ method: 'GET', path: '/' })).status).toBe(200);
    for (const upload of [first, second]) upload.destroy();
    await waitFor('both to be gone', () => s3.server.connections === 0);
    expect((await s3.alice.send({ method: 'GET', path: '/' })).status).toBe(200);
  });
});

describe('a drain', () => {
  test('lets requests end, then closes connections', async () => {
    const s3 = await start();
    const idle = open(s3.url);
    await once(idle, 'connect');
    const sent = { method: 'PUT', path: '/bucket/late', contentSha256: 'UNSIGNED-PAYLOAD' };
    const request = s3.alice.open({ ...sent, headers: { ...s3.alice.sign(sent).headers, 'content-length': '4' } });
    request.write('bo');
    await waitFor('the request to be there', () => s3.server.requests === 1);
    let isDrained = false;
    const drained = s3.server.drain().then(() => {
      isDrained = true;
    });
    await expect(once(open(s3.url), 'data')).rejects.toThrow();
    expect(isDrained).toBe(false);
    request.end('dy');
    const [response] = await once(request, 'response');
    expect([response.statusCode, response.headers.connection]).toEqual([200, 'close']);
    await drained;
    expect(s3.server.connections).toBe(0);
    expect((await s3.namespace.stat(alice, 'bucket', 'late')).sizeBytes).toBe(4);
  });

  test('does not wait forever', async () => {
    const s3 = await start();
    const sent = { method: 'PUT', path: '/bucket/never', contentSha256: 'UNSIGNED-PAYLOAD' };
    const request = s3.alice.open({ ...sent, headers: { ...s3.alice.sign(sent).headers, 'content-length': '4' } });
    const failed = once(request, 'response');
    request.write('bo');
    await waitFor('the request to be there', () => s3.server.requests === 1);
    await Promise.all([expect(failed).rejects.toThrow(), s3.server.drain(100)]);
  });
});

/** Reads bytes more slowly than they could arrive, stores none, and serves as many as requested. */
class EndlessNamespace extends MemoryNamespace {
  takenBytes = 0;

  override async put(
    _caller: Caller,
    _container: string,
    name: string,
    upload: Upload,
    headers: ObjectHeaders,
  ): Promise<ObjectStat> {
    for await (const piece of upload.body) {
      if (Math.floor((this.takenBytes + piece.length) / (8 * MiB)) > Math.floor(this.takenBytes / (8 * MiB)))
        await sleep(2);
      this.takenBytes += piece.length;
    }
    return { ...headers, name, sizeBytes: this.takenBytes, etag: '0'.repeat(32), modifiedAt: new Date(), version: '' };
  }

  override async get(_caller: Caller, _container: string, name: string): Promise<Got> {
    const sizeBytes = 512 * MiB;
    const stat = {
      name,
      sizeBytes,
      etag: '0'.repeat(32),
      modifiedAt: new Date(),
      version: '',
      contentType: 'x',
      metadata: {},
    };
    return { stat, body: endless(sizeBytes) };
  }
}

async function* endless(sizeBytes: number): AsyncGenerator<Buffer> {
  for (let at = 0; at < sizeBytes; at += MiB) yield Buffer.alloc(MiB, at / MiB);
}

describe('512 MiB pass in bounded memory', () => {
  const mostMiB = 200;
  const watchMemory = () => {
    const usedMiB = () => {
      const { heapUsed, external } = process.memoryUsage();
      return (heapUsed + external) / MiB;
    };
    const before = usedMiB();
    let most = before;
    const timer = setInterval(() => {
      most = Math.max(most, usedMiB());
    }, 5);
    return () => {
      clearInterval(timer);
      return most - before;
    };
  };

  test(
    'up',
    async () => {
      const namespace = new EndlessNamespace();
      const s3 = await start({ namespace });
      const sent = { method: 'PUT', path: '/bucket/big', contentSha256: 'UNSIGNED-PAYLOAD' };
      const grown = watchMemory();
      const headers = { ...s3.alice.sign(sent).headers, 'content-length': String(512 * MiB) };
      const request = s3.alice.open({ ...sent, headers });
      const answered = once(request, 'response');
      const piece = Buffer.alloc(MiB);
      for (let at = 0; at < 512; at += 1) if (!request.write(piece)) await once(request, 'drain');
      request.end();
      expect((await answered)[0].statusCode).toBe(200);
      expect(namespace.takenBytes).toBe(512 * MiB);
      expect(grown()).toBeLessThan(mostMiB);
    },
    120_000 * patience,
  );

  test(
    'down, to a client that reads slowly',
    async () => {
      const s3 = await start({ namespace: new EndlessNamespace() });
      const sent = { method: 'GET', path: '/bucket/big' };
      const grown = watchMemory();
      const request = s3.alice.open({ ...sent, headers: s3.alice.sign(sent).headers });
      request.end();
      const [response] = await once(request, 'response');
      let readBytes = 0;
      let pauses = 0;
      for await (const piece of response as AsyncIterable<Buffer>) {
        readBytes += piece.length;
        if (readBytes / (8 * MiB) > pauses) {
          pauses += 1;
          await sleep(2);
        }
      }
      expect(readBytes).toBe(512 * MiB);
      expect(grown()).toBeLessThan(mostMiB);
    },
    120_000 * patience,
  );
});
