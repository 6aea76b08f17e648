// Requests over a real link. Either end can ask, each request has an answer or a reason, and none is left over when the link is lost.
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import pino from 'pino';
import { LinkClient } from '../../../platform/link/link-client.ts';
import { type LinkPeer, LinkServer } from '../../../platform/link/link-server.ts';
import { type AnswerQuestion, UnansweredError } from '../../../platform/link/questions.ts';
import type { JsonValue } from '../../../platform/values/json.ts';
import { waitFor } from '../../support/machine/temporary-folder.ts';
import { testAuthority, testMachine } from '../../support/product/machines.ts';

const log = pino({ level: 'silent' });
const cleanup: (() => Promise<void>)[] = [];
const minuteMs = 60_000;
let peers: LinkPeer[];
let server: LinkServer;
let answers: { controlPlane?: AnswerQuestion; machine?: AnswerQuestion };

beforeEach(() => {
  [peers, answers] = [[], {}];
});
afterEach(async () => {
  for (const end of cleanup.splice(0).reverse()) await end();
});

/** A machine that is connected. */
async function connect(): Promise<LinkClient> {
  const authority = await testAuthority();
  server = await LinkServer.listen({
    ...{ host: '127.0.0.1', port: 0, role: 'lbhost', log },
    tls: await testMachine(authority, 'loadbalancer', 'control-plane', log),
    open: async (peer) => {
      peers.push(peer);
      const session = { epoch: peers.length, begin: () => {}, resend: () => {}, closed: async () => {} };
      return { ...session, report: async () => {}, ...(answers.controlPlane ? { answer: answers.controlPlane } : {}) };
    },
  });
  cleanup.push(() => server.stop());
  const client = new LinkClient({
    ...{ log, role: 'loadbalancer', tls: await testMachine(authority, 'lbhost', 'one', log), facts: () => ({}) },
    urls: [`wss://127.0.0.1:${server.port}/link`],
    documents: {
      ...{ held: () => new Map(), put: async () => {}, change: async () => true, remove: async () => {} },
    },
    ...(answers.machine ? { answer: answers.machine } : {}),
  });
  cleanup.push(() => client.stop());
  await expect(client.ask(1, minuteMs)).rejects.toThrow('there is no connection');
  client.start();
  await waitFor('the link', () => client.connected);
  return client;
}

const double: AnswerQuestion = async (body) => ({ double: Number(body) * 2 });
const of = (count: number) => Array.from({ length: count }, (_, at) => at);

test('both ends ask at once, and each request gets its own answer', async () => {
  answers = {
    controlPlane: double,
    // The answer to the first request arrives last.
    machine: async (body) => {
      await sleep(20 - Number(body));
      return double(body, new AbortController().signal);
    },
  };
  const client = await connect();
  const doubled = of(20).map((at) => ({ double: at * 2 }));
  const asked = of(20).map((at) => [peers[0]?.ask(at, minuteMs), client.ask(at, minuteMs)] as const);
  expect(await Promise.all(asked.map(([machine]) => machine))).toEqual(doubled);
  expect(await Promise.all(asked.map(([, controlPlane]) => controlPlane))).toEqual(doubled);
});

test('a request without an answer fails with the reason, and the link stays', async () => {
  const never = new Promise<JsonValue>(() => {});
  answers = {
    machine: async (body) => {
      if (body === 'fail') throw new Error('a secret of the machine');
      if (body === 'large') return 'x'.repeat(2 * 1024 * 1024);
      return body === 'late' ? never : body;
    },
  };
  const client = await connect();
  const ask = (body: JsonValue, ms = minuteMs) => (peers[0] as LinkPeer).ask(body, ms);
  const failure = async (asked: Promise<JsonValue>) => {
    const error: unknown = await asked.catch((reason: unknown) => reason);
    return error instanceof UnansweredError ? error.message : error;
  };
  expect(await failure(ask('fail'))).toBe('the other end failed: its log says why');
  expect(await failure(ask('large'))).toBe('the answer is too large');
  expect(await failure(ask('late', 50))).toBe('the other end did not answer within 50 ms');
  expect(await failure(client.ask('any', minuteMs))).toBe('the other end failed: its log says why');
  const stop = new AbortController();
  const stopped = peers[0]?.ask('late', minuteMs, stop.signal).catch((reason: unknown) => reason);
  stop.abort('enough');
  expect(await stopped).toBe('enough');
  const left = ask('late').catch((reason: unknown) => reason);
  expect(await ask('still here')).toBe('still here');
  expect(peers.length).toBe(1);
  // The link is lost, and all waiting requests fail at once.
  client.reconnect();
  expect(String(await left)).toContain('the link was lost');
});

test('requests beyond the number that an end answers at once are refused, and nothing waits forever', async () => {
  const open = Promise.withResolvers<void>();
  answers = {
    machine: async (body) => {
      await open.promise;
      return body;
    },
  };
  await connect();
  const asked = of(300).map((at) =>
    (peers[0] as LinkPeer).ask(at, minuteMs).then(
      () => 'answered',
      (error: Error) => error.message,
    ),
  );
  const refused = await Promise.all(asked.slice(64));
  expect(new Set(refused)).toEqual(
    new Set(['this end has too many questions at once', '256 questions wait for the other end']),
  );
  open.resolve();
  expect(new Set(await Promise.all(asked.slice(0, 64)))).toEqual(new Set(['answered']));
});
