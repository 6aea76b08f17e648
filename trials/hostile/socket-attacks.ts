// Sockets that violate graphql-ws (https://github.com/enisdenjo/graphql-ws/blob/master/PROTOCOL.md), or follow it and request
// others' data.
import { randomBytes } from 'node:crypto';
import { WebSocket } from 'ws';
import type { Random } from '../random.ts';
import { answersIn, type Caller, type GraphAnswer } from './caller.ts';
import { type Attack, forgedTokens } from './http-attacks.ts';
import type { Question } from './questions.ts';

interface Script {
  readonly kind: string;
  /** Sent one after another, once the socket is open. */
  readonly frames: readonly (string | Buffer)[];
  readonly path?: string;
  readonly protocol?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly grantsNothing?: boolean;
}

/** After this much silence, no further messages are expected. */
const quietMs = 250;
const deadlineMs = 3_000;

const init = (token: string | undefined) =>
  JSON.stringify({
    type: 'connection_init',
    ...(token === undefined ? {} : { payload: { authorization: `Bearer ${token}` } }),
  });
const subscribe = (id: string, payload: unknown) => JSON.stringify({ id, type: 'subscribe', payload });
const payloadOf = ({ query, variables }: Question) => ({ query, variables });

/** Any request over a socket, as the caller: queries and mutations are allowed there, too. */
export function askedOverSocket(caller: Caller, question: Question): Attack {
  return socketAttack(caller, {
    kind: `socket: ${question.kind}`,
    frames: [init(caller.token), subscribe('1', payloadOf(question))],
  });
}

/** Many subscriptions that differ in one argument. */
export function manySubscriptions(caller: Caller, random: Random): Attack {
  const count = random.integer(10, 150);
  const frames = Array.from({ length: count }, (_, at) =>
    subscribe(String(at), {
      query: 'subscription ($kinds: [String!]) { statusChanges(kinds: $kinds) { cursor change { id } } }',
      variables: { kinds: [`backend.x${at}`] },
    }),
  );
  return socketAttack(caller, { kind: 'socket: many subscriptions', frames: [init(caller.token), ...frames] });
}

export function badSocket(caller: Caller, random: Random, question: Question, known: readonly string[]): Attack {
  const ask = subscribe('1', payloadOf(question));
  const forged = () => random.pick(forgedTokens(known, random));
  const scripts: readonly (() => Script)[] = [
    () => ({ kind: 'silent', frames: [], grantsNothing: true }),
    () => ({ kind: 'asks before it says who it is', frames: [ask], grantsNothing: true }),
    () => ({ kind: 'forged token', frames: [init(forged()), ask], grantsNothing: true }),
    () => ({ kind: 'no token', frames: [init(undefined), ask], grantsNothing: true }),
    () => ({ kind: 'says twice who it is', frames: [init(caller.token), init(caller.token), ask] }),
    () => ({ kind: 'changes who it is', frames: [init(caller.token), init(forged()), ask] }),
    () => ({ kind: 'the same id twice', frames: [init(caller.token), ask, ask] }),
    () => ({ kind: 'a long id', frames: [init(caller.token), subscribe('x'.repeat(50_000), payloadOf(question))] }),
    () => ({ kind: 'an empty id', frames: [init(caller.token), subscribe('', payloadOf(question))] }),
    () => ({ kind: '__proto__ as id', frames: [init(caller.token), subscribe('__proto__', payloadOf(question))] }),
    () => ({ kind: 'no payload', frames: [init(caller.token), subscribe('1', random.pick([null, 1, 'x', [], {}]))] }),
    () => ({
      kind: 'operation name and extensions',
      frames: [
        init(caller.token),
        subscribe('1', { ...payloadOf(question), operationName: 'X', extensions: { a: 1 } }),
      ],
    }),
    () => ({ kind: 'completes what is not there', frames: [init(caller.token), '{"type":"complete","id":"9"}'] }),
    () => ({
      kind: 'subscribes and completes at once',
      frames: [init(caller.token), ...Array.from({ length: 100 }, () => [ask, '{"type":"complete","id":"1"}']).flat()],
    }),
    () => ({ kind: 'pings', frames: [init(caller.token), ...Array.from({ length: 2_000 }, () => '{"type":"ping"}')] }),
    () => ({
      kind: 'speaks as a server',
      frames: [init(caller.token), '{"type":"next","id":"1","payload":{"data":{}}}'],
    }),
    () => ({ kind: 'an unknown type', frames: [init(caller.token), '{"type":"shutdown"}'] }),
    () => ({ kind: 'no JSON', frames: [init(caller.token), '{"type":'] }),
    () => ({ kind: 'deep JSON', frames: [init(caller.token), '['.repeat(random.integer(100, 60_000))] }),
    () => ({ kind: 'bytes', frames: [init(caller.token), randomBytes(random.integer(1, 5_000))] }),
    () => ({ kind: 'a large message', frames: [init(caller.token), 'x'.repeat(random.integer(100_000, 5_000_000))] }),
    () => ({ kind: 'another protocol', frames: [ask], protocol: 'graphql-ws', grantsNothing: true }),
    () => ({ kind: 'another path', frames: [init(caller.token), ask], path: '/metrics', grantsNothing: true }),
    () => ({
      kind: 'a page elsewhere',
      frames: [init(undefined), ask],
      headers: { origin: 'https://attacker.example' },
    }),
  ];
  const script = random.pick(scripts)();
  return socketAttack(caller, { ...script, kind: `socket: ${script.kind}` });
}

function socketAttack(caller: Caller, script: Script): Attack {
  const { kind, frames, path = '/graphql', protocol = 'graphql-transport-ws', headers = {}, grantsNothing } = script;
  const run = async () => {
    const texts: string[] = [];
    await new Promise<void>((resolve) => {
      const url = `${caller.url.replace(/^http/, 'ws')}${path}`;
      const socket = new WebSocket(url, protocol, {
        localAddress: caller.address,
        headers,
        handshakeTimeout: deadlineMs,
      });
      const end = () => {
        clearTimeout(latest);
        clearTimeout(quiet);
        socket.terminate();
        resolve();
      };
      const latest = setTimeout(end, deadlineMs);
      let quiet = setTimeout(() => undefined, 0);
      const waitOn = () => {
        clearTimeout(quiet);
        quiet = setTimeout(end, quietMs);
      };
      socket.on('error', (error) => texts.push(error.message)).once('close', end);
      socket.on('message', (data) => {
        texts.push(String(data));
        waitOn();
      });
      socket.once('open', () => {
        for (const frame of frames) socket.send(frame);
        waitOn();
      });
    });
    return { asked: frames.map(String).join('\n'), answered: texts.join('\n'), answers: payloadsIn(texts) };
  };
  return { kind, run, ...(grantsNothing === undefined ? {} : { grantsNothing }) };
}

/** The result of `next`, the errors of `error`. */
function payloadsIn(texts: readonly string[]): readonly GraphAnswer[] {
  return texts.flatMap((text) => {
    try {
      const message = JSON.parse(text) as { readonly type?: string; readonly payload?: unknown };
      if (message.type === 'error') return [{ errors: message.payload as NonNullable<GraphAnswer['errors']> }];
      return answersIn([JSON.stringify(message.payload ?? null)]);
    } catch {
      return [];
    }
  });
}
