import type { TLSSocket } from 'node:tls';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { readCertificate } from '../../../../platform/net/tls-certificate.ts';
import { foundRow, type OvsdbCall } from '../../../../subgraphs/relay/drivers/driver.ts';
import { createOvsdbTransport } from '../../../../subgraphs/relay/transports/ovsdb-transport.ts';
import type { Endpoint, Transport, TransportOptions } from '../../../../subgraphs/relay/transports/session.ts';
import { testEgress } from '../../../support/machine/egress.ts';
import { type TemporaryFolder, temporaryFolder, waitFor } from '../../../support/machine/temporary-folder.ts';
import { makeCertificates, type TestCertificates } from '../../../support/product/certificates.ts';
import { describeWithOpenVswitch } from '../../../support/servers/openvswitch.ts';
import { OddServer, reply } from './support/odd-server.ts';
import { endAfterEach, failureOf, own } from './support/owned.ts';

endAfterEach();

function transportTo(endpoint: Endpoint, options: Partial<TransportOptions> = {}): Transport {
  return own(createOvsdbTransport(endpoint, { egress: testEgress, concurrency: 4, ...options }));
}

const select: OvsdbCall = {
  kind: 'ovsdb',
  operations: [{ op: 'select', table: 'Open_vSwitch', where: [], columns: ['ovs_version'] }],
};
describeWithOpenVswitch('a real ovsdb-server', (ovs) => {
  const endpoint = (changes: Partial<Endpoint> = {}): Endpoint => {
    const { host, port, certificates } = ovs().ovsdb;
    return {
      host,
      port,
      hostKeySha256: null,
      certificateSha256: null,
      caCertificates: certificates.ca,
      cryptoProfile: 'MODERN',
      credentials: {
        username: '',
        clientCertificate: certificates.client.cert,
        privateKey: certificates.client.key,
      },
      ...changes,
    };
  };

  test('answers, with one connection for consecutive calls', async () => {
    const transport = transportTo(endpoint());
    for (let call = 0; call < 3; call += 1) {
      expect(await transport.send(select, { deadlineMs: 5_000 })).toMatchObject({
        ok: true,
        reply: { kind: 'ovsdb', result: [{ rows: [{ ovs_version: '3.1.0' }] }], error: null, truncated: false },
      });
    }
    expect(transport.state()).toEqual({ sessions: 1, channels: 0 });
  });

  test('50 calls at once: never more connections than allowed, every call gets its own reply', async () => {
    const transport = transportTo(endpoint(), { concurrency: 3 });
    const replies = await Promise.all(
      Array.from({ length: 50 }, (_, index) =>
        transport.send(
          {
            kind: 'ovsdb',
            operations: [{ op: 'comment', comment: `${index}` }, ...Array(index % 5).fill({ op: 'assert', lock: 'x' })],
          },
          { deadlineMs: 5_000 },
        ),
      ),
    );
    for (const [index, result] of replies.entries()) {
      const length = result.ok && result.reply.kind === 'ovsdb' && (result.reply.result as unknown[]).length;
      // The first assert fails and ends the transaction; later results are null (RFC 7047 section 4.1.3).
      expect(length).toBe(1 + (index % 5));
    }
    expect(transport.state().sessions).toBeLessThanOrEqual(3);
  });

  test('a pinned certificate is enough; another one is not', async () => {
    const { host, port } = ovs().ovsdb;
    const { sha256 } = await readCertificate({ host, port, egress: testEgress, timeoutMs: 5_000 });
    const pinned = transportTo(endpoint({ certificateSha256: sha256, caCertificates: null }));
    expect(await pinned.send(select, { deadlineMs: 5_000 })).toMatchObject({ ok: true });
    const other = transportTo(endpoint({ certificateSha256: 'SHA256:other', caCertificates: null }));
    expect(failureOf(await other.send(select, { deadlineMs: 5_000 }))).toMatchObject({
      kind: 'NOT_SENT',
      code: 'CERTIFICATE_MISMATCH',
      presented: sha256,
    });
  });

  test('a client refused by the server gets an error before anything is sent', async () => {
    const folder = await temporaryFolder();
    const stranger = await makeCertificates(folder.path, 'stranger');
    const strange = { username: '', clientCertificate: stranger.cert, privateKey: stranger.key };
    for (const credentials of [{ username: '' }, strange]) {
      const result = await transportTo(endpoint({ credentials })).send(select, { deadlineMs: 5_000 });
      expect(failureOf(result)).toMatchObject({ kind: 'NOT_SENT', code: 'AUTH_FAILED' });
    }
    await folder.remove();
  });

  test('a reply longer than allowed is cut', async () => {
    const all: OvsdbCall = { kind: 'ovsdb', operations: [{ op: 'select', table: 'Open_vSwitch', where: [] }] };
    const result = await transportTo(endpoint()).send(all, { deadlineMs: 5_000, maxReplyBytes: 100 });
    expect(result).toMatchObject({ ok: true, reply: { kind: 'ovsdb', result: null, error: null, truncated: true } });
  });
});

describe('a misbehaving server', () => {
  let folder: TemporaryFolder;
  let certificates: TestCertificates;
  beforeAll(async () => {
    folder = await temporaryFolder();
    certificates = await makeCertificates(folder.path, 'odd');
  });
  afterAll(() => folder.remove());

  test('bytes one by one, an echo and a notification before the answer', async () => {
    const server = own(await OddServer.start(certificates));
    server.onTransact = async (socket, id) => {
      reply(socket, { id: 'probe', method: 'echo', params: ['are', 'you there'] });
      reply(socket, { id: null, method: 'update', params: [] });
      reply(socket, { id: id + 100, result: ['of another'], error: null });
      const odd = { id, result: [{ text: 'Grüße }{][ "\\"' }], error: null };
      for (const byte of Buffer.from(` ${JSON.stringify(odd)}\n`)) socket.write(Buffer.from([byte]));
    };
    const result = await transportTo(server.endpoint()).send(select, { deadlineMs: 5_000 });
    expect(result).toMatchObject({ reply: { result: [{ text: 'Grüße }{][ "\\"' }], error: null } });
    await waitFor('the answer to the echo', () => server.answered.length > 0);
    expect(server.answered).toEqual([{ id: 'probe', result: ['are', 'you there'], error: null }]);
  });

  test('the found row is put into the call, and nothing is sent if the read fails', async () => {
    const server = own(await OddServer.start(certificates));
    const id = '2f1c9b1e-6f0e-4f43-9a52-3f1f2a6a7c11';
    const [find = {}] = select.operations;
    const call: OvsdbCall = { kind: 'ovsdb', find, operations: [{ op: 'abort', of: foundRow }] };
    const sent = () => server.calls.map((text) => (JSON.parse(text) as { params: unknown[] }).params.slice(1));
    for (const [rows, of] of [
      [[{ _uuid: ['uuid', id] }], id],
      [[], foundRow],
    ] as const) {
      server.calls.length = 0;
      server.onTransact = (socket, request) => reply(socket, { id: request, result: [{ rows }], error: null });
      expect(await transportTo(server.endpoint()).send(call, { deadlineMs: 5_000 })).toMatchObject({ ok: true });
      expect(sent()).toEqual([[find], [{ op: 'abort', of }]]);
    }
    server.calls.length = 0;
    server.onTransact = () => {};
    const failed = failureOf(await transportTo(server.endpoint()).send(call, { deadlineMs: 200 }));
    expect(failed).toMatchObject({ kind: 'NOT_SENT', code: 'CONNECT_FAILED' });
    server.onTransact = (socket) => {
      server.onTransact = () => {};
      reply(socket, { id: 2, result: [{ rows: [] }], error: null });
    };
    const unanswered = failureOf(await transportTo(server.endpoint()).send(call, { deadlineMs: 200 }));
    expect(unanswered).toMatchObject({ kind: 'NO_VERDICT', code: 'NO_REPLY' });
    for (const unreadable of [`"${'x'.repeat(3_000_000)}"`, `${'['.repeat(30_000)}${']'.repeat(30_000)}`]) {
      server.calls.length = 0;
      server.onTransact = (socket) => socket.write(`{"id":2,"error":null,"result":${unreadable}}`);
      const unread = failureOf(await transportTo(server.endpoint()).send(call, { deadlineMs: 5_000 }));
      expect(unread).toMatchObject({ kind: 'NOT_SENT', code: 'CONNECT_FAILED' });
      expect(sent()).toEqual([[find]]);
    }
    const late = { deadlineMs: 5_000, beforeFirstByte: () => false };
    server.calls.length = 0;
    server.onTransact = (socket, request) => reply(socket, { id: request, result: [{ rows: [] }], error: null });
    expect(failureOf(await transportTo(server.endpoint()).send(call, late))).toMatchObject({ code: 'WINDOW_PASSED' });
    expect(sent()).toEqual([[find]]);
  });

  test('a JSON-RPC error is a reply', async () => {
    const server = own(await OddServer.start(certificates));
    server.onTransact = (socket, id) => reply(socket, { id, result: null, error: { error: 'unknown database' } });
    const result = await transportTo(server.endpoint()).send(select, { deadlineMs: 5_000 });
    expect(result).toMatchObject({ ok: true, reply: { result: null, error: { error: 'unknown database' } } });
  });

  test.each<[string, (socket: TLSSocket) => void, string]>([
    ['says nothing', () => {}, 'NO_REPLY'],
    ['breaks off', (socket) => socket.destroy(), 'CONNECTION_LOST'],
    ['closes its side', (socket) => socket.end(), 'CONNECTION_LOST'],
    ['sends no JSON', (socket) => socket.write('HTTP/1.1 400 Bad Request\r\n'), 'CONNECTION_LOST'],
    ['sends incomplete JSON', (socket) => socket.write('{"id":1,,}'), 'CONNECTION_LOST'],
    [
      'disconnects during its reply',
      (socket) => socket.write('{"id":1,"res', () => socket.destroy()),
      'CONNECTION_LOST',
    ],
  ])('a server that %s leaves no verdict, and the connection is not used again', async (_what, onTransact, code) => {
    const server = own(await OddServer.start(certificates));
    const transport = transportTo(server.endpoint());
    server.onTransact = onTransact;
    expect(failureOf(await transport.send(select, { deadlineMs: 200 }))).toMatchObject({ kind: 'NO_VERDICT', code });
    await waitFor('the connection to end', () => server.openConnections === 0);
    server.onTransact = (socket, id) => reply(socket, { id, result: [], error: null });
    expect(await transport.send(select, { deadlineMs: 5_000 })).toMatchObject({ ok: true });
    expect(server.calls).toHaveLength(2);
  });

  test('an echo that nests deeply ends the connection, not the relay', async () => {
    const server = own(await OddServer.start(certificates));
    const depth = 30_000;
    server.onTransact = (socket) =>
      socket.write(`{"id":1,"method":"echo","params":${'['.repeat(depth)}${']'.repeat(depth)}}`);
    const result = await transportTo(server.endpoint()).send(select, { deadlineMs: 5_000 });
    expect(failureOf(result)).toMatchObject({ kind: 'NO_VERDICT', code: 'CONNECTION_LOST' });
  });

  test('a server that requests echoes and reads none is cut off', async () => {
    const server = own(await OddServer.start(certificates));
    server.onTransact = (socket) => {
      socket.pause();
      const ask = () => {
        while (
          !socket.destroyed &&
          socket.write(JSON.stringify({ id: 1, method: 'echo', params: ['x'.repeat(50_000)] }))
        );
      };
      socket.on('drain', ask);
      ask();
    };
    const result = await transportTo(server.endpoint()).send(select, { deadlineMs: 30_000 });
    expect(failureOf(result)).toMatchObject({ kind: 'NO_VERDICT', code: 'CONNECTION_LOST' });
  });

  test('14 calls at once on a server that allows 2 connections: none fails', async () => {
    const server = own(await OddServer.start(certificates));
    server.maxConnections = 2;
    server.onTransact = (socket, id) => setTimeout(() => reply(socket, { id, result: [], error: null }), 20);
    const transport = transportTo(server.endpoint(), { concurrency: 14 });
    const results = await Promise.all(Array.from({ length: 14 }, () => transport.send(select, { deadlineMs: 5_000 })));
    expect(results.every((result) => result.ok)).toBe(true);
    expect(server.calls).toHaveLength(14);
  });

  test('another kind of server is detected before anything is sent', async () => {
    const server = own(await OddServer.start(certificates));
    server.answersEcho = false;
    const transport = transportTo(server.endpoint(), { connectTimeoutMs: 200 });
    expect(failureOf(await transport.send(select, { deadlineMs: 5_000 }))).toMatchObject({
      kind: 'NOT_SENT',
      code: 'CONNECT_FAILED',
    });
    expect(server.calls).toEqual([]);
  });
});
