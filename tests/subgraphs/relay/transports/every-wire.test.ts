// The promises of every transport, whatever its wire: when the first byte leaves, which replies are not a verdict, and
// how many calls and connections run at once.
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { SshDevice } from '../../../../simulators/ssh-device.ts';
import { SshShellServer } from '../../../../simulators/support/ssh-shell.ts';
import { TcpLine } from '../../../../simulators/tcp-line.ts';
import type { TransportKind, WireCall } from '../../../../subgraphs/relay/drivers/driver.ts';
import { createTransport } from '../../../../subgraphs/relay/transports/factories.ts';
import type { Endpoint, Transport, TransportOptions } from '../../../../subgraphs/relay/transports/session.ts';
import { testEgress } from '../../../support/machine/egress.ts';
import { type TemporaryFolder, temporaryFolder, until } from '../../../support/machine/temporary-folder.ts';
import { makeCertificates, type TestCertificates } from '../../../support/product/certificates.ts';
import { OddServer, reply } from './support/odd-server.ts';
import { endAfterEach, failureOf, own, slotOf } from './support/owned.ts';
import { WebDevice } from './support/web-device.ts';

endAfterEach();

let folder: TemporaryFolder;
let certificates: TestCertificates;
beforeAll(async () => {
  folder = await temporaryFolder();
  certificates = await makeCertificates(folder.path, 'odd');
});
afterAll(() => folder.remove());

interface Reaction {
  answer(): void;
  /** Ends the connection in the middle of an answer. */
  cut(): void;
  /** Sends an answer of at least 200,000 bytes. */
  flood(): void;
}

/** The devices' reactions to calls, each of which is one word. */
class Calls {
  readonly received: string[] = [];
  most = 0;
  readonly #held: (() => void)[] = [];
  #running = 0;

  take(word: string, reaction: Reaction): void {
    this.received.push(word);
    this.#running += 1;
    this.most = Math.max(this.most, this.#running);
    const answer = () => {
      this.#running -= 1;
      reaction.answer();
    };
    if (word.startsWith('hang')) return;
    if (word.startsWith('held')) this.#held.push(answer);
    else if (word.startsWith('slow')) setTimeout(answer, 5);
    else if (word.startsWith('cut')) reaction.cut();
    else if (word.startsWith('flood')) reaction.flood();
    else answer();
  }

  release(): void {
    for (const answer of this.#held.splice(0)) answer();
  }
}

interface Device {
  readonly endpoint: Endpoint;
  readonly server: {
    readonly host: string;
    readonly port: number;
    /** Connections since the start. */
    readonly connections: number;
    readonly openConnections: number;
    cutAll(): void;
    stop(): Promise<unknown>;
  };
}

interface Wire {
  readonly kind: TransportKind;
  readonly start: (calls: Calls) => Promise<Device>;
  readonly call: (word: string) => WireCall;
  /** A call of another wire. */
  readonly another: WireCall;
  readonly options?: Partial<TransportOptions>;
  /** The expected fields of an answer that is cut at 1,000 bytes. */
  readonly whenCut?: object;
  /** A connection carries several calls at once. */
  readonly shared?: true;
}

const flood = 'x'.repeat(200_000);
const atSsh = ({ host, port, hostKeySha256 }: SshDevice | SshShellServer): Endpoint => ({
  ...{ host, port, hostKeySha256, cryptoProfile: 'MODERN', credentials: { username: 'ops', password: 'secret' } },
});

const wires: Readonly<Record<string, Wire>> = {
  https: {
    kind: 'https',
    async start(calls) {
      const device = await WebDevice.start({
        onCall: ({ path }) =>
          new Promise((resolve) =>
            calls.take(path.slice(1), {
              answer: () => resolve({ status: 200, body: 'done' }),
              cut: () => resolve({ status: 200, body: 'half of it', cutAfterBytes: 5 }),
              flood: () => resolve({ status: 200, body: flood }),
            }),
          ),
      });
      return { endpoint: device.endpoint(), server: device.server };
    },
    call: (word) => ({ kind: 'http', method: 'POST', path: `/${word}`, body: { name: 'Grüße' } }),
    another: { kind: 'exec', command: 'true' },
    whenCut: { status: 200, body: 'x'.repeat(1_000) },
  },
  'ssh, a command': {
    kind: 'ssh',
    async start(calls) {
      const server = await SshDevice.start({
        onExec: (execution) =>
          calls.take(execution.command, {
            answer: () => execution.reply('done'),
            cut() {
              execution.write('half of an ans');
              setTimeout(execution.cut, 20);
            },
            flood: () => execution.write(flood),
          }),
      });
      return { endpoint: atSsh(server), server };
    },
    call: (word) => ({ kind: 'exec', command: word }),
    another: { kind: 'cli', lines: ['true'] },
    whenCut: { exitCode: null, stdout: 'x'.repeat(1_000) },
    shared: true,
  },
  'ssh, a command line': {
    kind: 'ssh',
    async start(calls) {
      const server = await SshShellServer.start({
        terminal: { pagerPrompt: '', pagerErase: '' },
        authenticate: async () => true,
        async onShell(terminal, session) {
          for (;;) {
            const typed = await terminal.readLine('tiny # ');
            if (typed.kind !== 'line') return;
            const cut = () => session.cut();
            await new Promise<void>((answer) =>
              calls.take(typed.text, { answer, cut, flood: () => terminal.write(flood) }),
            );
          }
        },
      });
      return { endpoint: atSsh(server), server };
    },
    call: (word) => ({ kind: 'cli', lines: [word] }),
    another: { kind: 'exec', command: 'true' },
    options: { cli: { prompt: /^tiny # $/, setup: [] } },
  },
  ovsdb: {
    kind: 'ovsdb',
    async start(calls) {
      const server = await OddServer.start(certificates);
      server.onTransact = (socket, id, text) => {
        const [, word = ''] = /"comment":"([^"]*)"/.exec(text) ?? [];
        calls.take(word, {
          answer: () => reply(socket, { id, result: [], error: null }),
          cut: () => socket.write(`{"id":${id},"res`, () => socket.destroy()),
          flood: () => socket.write(`{"id":${id},"result":["${flood}`),
        });
      };
      return { endpoint: server.endpoint(), server };
    },
    call: (word) => ({ kind: 'ovsdb', operations: [{ op: 'comment', comment: word }] }),
    another: { kind: 'exec', command: 'true' },
  },
};

describe.each(Object.entries(wires))('%s', (_name, wire) => {
  const deadlineMs = 10_000;

  async function meet(options: Partial<TransportOptions> = {}) {
    const received = new Calls();
    const { endpoint, server } = await wire.start(received);
    own(server);
    return { calls: received, server, endpoint, transport: transportTo(endpoint, options) };
  }
  function transportTo(endpoint: Endpoint, options: Partial<TransportOptions> = {}): Transport {
    return own(
      createTransport(wire.kind, endpoint, { egress: testEgress, concurrency: 4, ...wire.options, ...options }),
    );
  }
  const run = (transport: Transport, word: string, more = {}) =>
    transport.send(wire.call(word), { deadlineMs, ...more });

  test('a call of another wire is not sent', async () => {
    const { transport, calls: device } = await meet();
    expect(failureOf(await transport.send(wire.another, { deadlineMs }))).toMatchObject({
      ...{ kind: 'NOT_SENT', code: 'PROTOCOL_FAILED' },
    });
    expect(device.received).toEqual([]);
  });

  test('beforeFirstByte is called once, before the device has the call', async () => {
    const { transport, calls: device } = await meet();
    const seen: number[] = [];
    const beforeFirstByte = () => seen.push(device.received.length) > 0;
    const slot = await slotOf(transport);
    expect(await slot.send(wire.call('once'), { deadlineMs, beforeFirstByte })).toMatchObject({ ok: true });
    expect(seen).toEqual([0]);
    expect(device.received).toEqual(['once']);
  });

  test('when it returns false, nothing is sent and the connection stays open', async () => {
    const { transport, calls: device, server } = await meet();
    for (const word of ['first', 'second']) {
      const slot = await slotOf(transport);
      const refused = await slot.send(wire.call('late'), { deadlineMs, beforeFirstByte: () => false });
      expect(failureOf(refused)).toMatchObject({ kind: 'NOT_SENT', code: 'WINDOW_PASSED' });
      expect(await run(transport, word)).toMatchObject({ ok: true });
    }
    expect(device.received).toEqual(['first', 'second']);
    expect(server.connections).toBe(1);
    expect(transport.state().sessions).toBe(1);
  });

  test.each([false, true])('a connection lost after the reservation is replaced (used before: %s)', async (used) => {
    const { transport, calls: device, server } = await meet({ concurrency: 1 });
    if (used) await run(transport, 'before');
    const slot = await slotOf(transport);
    await until(() => server.connections === 1);
    server.cutAll();
    await until(() => transport.state().sessions === 0);
    const beforeFirstByte = jest.fn(() => true);
    expect(await slot.send(wire.call('once'), { deadlineMs, beforeFirstByte })).toMatchObject({ ok: true });
    expect(device.received.filter((word) => word === 'once')).toHaveLength(1);
    expect(beforeFirstByte).toHaveBeenCalledTimes(1);
    expect(server.connections).toBe(2);
    expect(transport.state().channels).toBe(0);
  });

  test('an abort ends a call before its first byte, but not after it', async () => {
    const { transport, calls: device } = await meet({ concurrency: 1 });
    const controller = new AbortController();
    const { signal } = controller;
    const onTheWire = run(transport, 'held', { signal });
    await until(() => device.received.length === 1);
    const waiting = run(transport, 'second', { signal });
    controller.abort();
    expect(failureOf(await waiting)).toMatchObject({ kind: 'NOT_SENT', code: 'ABORTED' });
    device.release();
    expect(await onTheWire).toMatchObject({ ok: true });
    expect(device.received).toEqual(['held']);
  });

  test('a slot can be used for one call', async () => {
    const { transport, calls: device } = await meet();
    const slot = await slotOf(transport);
    await slot.send(wire.call('one'), { deadlineMs });
    const again = await slot.send(wire.call('two'), { deadlineMs });
    expect(failureOf(again)).toMatchObject({ kind: 'NOT_SENT', code: 'CLOSED' });
    expect(device.received).toEqual(['one']);
  });

  test('a connection cut during the answer gives no verdict, and nothing is sent again', async () => {
    const { transport, calls: device } = await meet();
    expect(failureOf(await run(transport, 'cut'))).toMatchObject({ kind: 'NO_VERDICT', code: 'CONNECTION_LOST' });
    await until(() => transport.state().sessions === 0);
    expect(transport.state().channels).toBe(0);
    expect(device.received).toEqual(['cut']);
  });

  test('when a device hangs, the deadline ends the call and its connection, and no other', async () => {
    const { transport, calls: device, server } = await meet();
    const hanging = run(transport, 'hang', { deadlineMs: 100 });
    await until(() => device.received.length === 1);
    expect(await run(transport, 'other')).toMatchObject({ ok: true });
    expect(failureOf(await hanging)).toMatchObject({ kind: 'NO_VERDICT', code: 'NO_REPLY' });
    await until(() => server.openConnections === (wire.shared === true ? 0 : 1));
    expect(await run(transport, 'next')).toMatchObject({ ok: true });
    expect(device.received).toEqual(['hang', 'other', 'next']);
    expect(server.connections).toBe(2);
  });

  test('in a partition nothing of a call is sent after its deadline', async () => {
    const { endpoint, server, calls: device } = await meet();
    const line = own(await TcpLine.lay({ host: server.host, port: server.port }));
    const transport = transportTo({ ...endpoint, port: line.port }, { concurrency: 1 });
    expect(await run(transport, 'before')).toMatchObject({ ok: true });
    const slot = await slotOf(transport);
    line.freeze();
    const partitioned = await slot.send(wire.call('partitioned'), { deadlineMs: 50 });
    expect(failureOf(partitioned)).toMatchObject({ kind: 'NO_VERDICT', code: 'NO_REPLY' });
    await until(() => transport.state().sessions === 0);
    expect(transport.state().channels).toBe(0);
    line.thaw();
    expect(await run(transport, 'after')).toMatchObject({ ok: true });
    expect(device.received).toEqual(['before', 'after']);
  });

  test('an endless answer is cut at the bound, and its connection closed', async () => {
    const { transport, server } = await meet();
    const cut = await run(transport, 'flood', { maxReplyBytes: 1_000 });
    expect(cut).toMatchObject({ ok: true, reply: { truncated: true, ...wire.whenCut } });
    await until(() => server.openConnections === 0);
    expect(await run(transport, 'next', { maxReplyBytes: 1_000 })).toMatchObject({ reply: { truncated: false } });
  });

  test('close ends calls in progress and refuses later ones', async () => {
    const { transport, calls: device, server } = await meet({ concurrency: 1 });
    const onTheWire = run(transport, 'hang');
    await until(() => device.received.length === 1);
    const waiting = run(transport, 'waiting');
    await transport.close();
    expect(failureOf(await onTheWire)).toMatchObject({ kind: 'NO_VERDICT', code: 'CONNECTION_LOST' });
    expect(failureOf(await waiting)).toMatchObject({ kind: 'NOT_SENT', code: 'CLOSED' });
    expect(failureOf(await run(transport, 'after'))).toMatchObject({ kind: 'NOT_SENT', code: 'CLOSED' });
    expect(transport.tryReserve()).toBeUndefined();
    expect(transport.state()).toEqual({ sessions: 0, channels: 0 });
    await until(() => server.openConnections === 0);
  });

  test('calls never exceed the concurrency, first come, first served', async () => {
    const { transport, calls: device, server } = await meet({ concurrency: 3 });
    const words = Array.from({ length: 30 }, (_, index) => `slow-${index}`);
    const results = await Promise.all(words.map((word) => run(transport, word)));
    expect(results.every((result) => result.ok)).toBe(true);
    expect(device.most).toBeLessThanOrEqual(3);
    // Calls on several connections can overtake each other.
    const inOrder = (received: readonly string[]) => (wire.shared === true ? received : [...received].sort());
    expect(inOrder(device.received)).toEqual(inOrder(words));
    expect(server.connections).toBe(wire.shared === true ? 1 : 3);
    expect(transport.state().channels).toBe(0);
  });

  test('tryReserve returns a slot only when a connection is ready, and never connects', async () => {
    const { transport, server } = await meet({ concurrency: 1 });
    expect(transport.tryReserve()).toBeUndefined();
    expect(server.connections).toBe(0);
    (await slotOf(transport)).release();
    const slot = transport.tryReserve();
    expect(slot).toBeDefined();
    expect(transport.tryReserve()).toBeUndefined();
    slot?.release();
    expect(transport.state()).toEqual({ sessions: 1, channels: 0 });
  });

  test('idle connections are closed, except reserved ones', async () => {
    const { transport, server } = await meet({ idleCloseMs: 30 });
    await run(transport, 'one');
    const slot = await slotOf(transport);
    // Longer than an idle connection stays open.
    await sleep(100);
    expect(await slot.send(wire.call('two'), { deadlineMs })).toMatchObject({ ok: true });
    expect(server.connections).toBe(1);
    await until(() => server.openConnections === 0);
    await until(() => transport.state().sessions === 0);
    expect(await run(transport, 'again')).toMatchObject({ ok: true });
    expect(server.connections).toBe(2);
  });

  test('a port without a listener', async () => {
    const { endpoint, server } = await wire.start(new Calls());
    await server.stop();
    const failed = await run(transportTo(endpoint), 'one');
    expect(failureOf(failed)).toMatchObject({ kind: 'NOT_SENT', code: 'CONNECT_FAILED' });
  });

  test('a listener that never answers', async () => {
    const { endpoint, server } = await meet();
    const line = own(await TcpLine.lay({ host: server.host, port: server.port }));
    line.freeze();
    const transport = transportTo({ ...endpoint, port: line.port }, { connectTimeoutMs: 50 });
    expect(failureOf(await run(transport, 'one'))).toMatchObject({ kind: 'NOT_SENT', code: 'CONNECT_FAILED' });
    expect(transport.state()).toEqual({ sessions: 0, channels: 0 });
  });
});
