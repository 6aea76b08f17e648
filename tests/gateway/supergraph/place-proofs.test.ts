// When a gateway opens, renews and drops a session with a process. Without a session, the gateway signs its requests.
import { beforeEach, expect, test } from '@jest/globals';
import { Registry } from 'prom-client';
import { gatewayMetrics } from '../../../gateway/http/metrics.ts';
import { type HandshakeAnswer, PlaceProofs, ProofCounts } from '../../../gateway/supergraph/place-proofs.ts';
import { AcceptedSessions } from '../../../platform/graph/accepted-sessions.ts';
import { otherKeyCode } from '../../../platform/graph/request-session.ts';
import { IdentityChecker } from '../../../platform/graph/signed-identity.ts';
import { newKeyPair, PublicKeys, SigningKeys } from '../../../platform/secrets/key-pairs.ts';
import { publicFile } from '../../support/product/signing-keys.ts';

const [first, second] = [newKeyPair(), newKeyPair()];
const privateKeys = { k1: first.privateText, k2: second.privateText };
const keys = new PublicKeys(publicFile({ gateway: { k1: first.publicText, k2: second.publicText } }));
const claims = { identity: null, requestId: 'r' };
const body = '{"query":"{ name }"}';

let signing: SigningKeys;
let clock: { nowMs: number };
let counts: ProofCounts;
let handshakes: (() => HandshakeAnswer)[];
let behind: IdentityChecker[];
let asked: number;
let proofs: PlaceProofs;

beforeEach(() => {
  signing = new SigningKeys({ active: 'k1', keys: privateKeys });
  clock = { nowMs: 0 };
  counts = new ProofCounts();
  handshakes = [];
  behind = [processOf()];
  asked = 0;
  proofs = gateway();
});

function gateway(): PlaceProofs {
  return new PlaceProofs({
    ...{ audience: 'test', keys: signing, counts, nowMs: () => clock.nowMs },
    handshake: async (text, signed) => handshakes.shift()?.() ?? accept(text, signed),
  });
}

function processOf(most = 1_000): IdentityChecker {
  return new IdentityChecker({
    ...{ keys, audience: 'test' },
    sessions: new AcceptedSessions({ keys, most, nowMs: () => clock.nowMs }),
  });
}

/** Each request reaches the next process behind the address. */
function turn(): IdentityChecker {
  asked += 1;
  return behind[asked % behind.length] as IdentityChecker;
}

function accept(text: string, signed: string): HandshakeAnswer {
  const one = turn();
  const presented = one.present(signed);
  if (typeof presented === 'string' || presented.signerId === undefined) return { status: 401, text: '' };
  const { signerId, id } = presented;
  const opened = one.sessions.open({ audience: 'test', signerId, id, body: text });
  if (opened === 'other-key')
    return { status: 409, text: JSON.stringify({ code: otherKeyCode, subgraphKey: one.sessions.publicKey }) };
  return opened === 'malformed'
    ? { status: 400, text: '' }
    : { status: 200, text: JSON.stringify({ session: opened.id }) };
}

/** Sends a request as a link does. Returns the kind of proof that succeeded. */
async function send(): Promise<'mac' | 'signature' | 'signature after a MAC'> {
  const one = turn();
  const proof = proofs.prove(claims, body);
  const checked = one.check(proof.text, body);
  let how: 'mac' | 'signature' | 'signature after a MAC' = proof.session === undefined ? 'signature' : 'mac';
  if (checked === 'unknown-session') {
    proofs.unknown(proof, one.sessions.publicKey);
    expect(one.check(proofs.sign(claims, body, proof.id), body)).toEqual(claims);
    how = 'signature after a MAC';
  } else expect(checked).toEqual(claims);
  if (how !== 'mac') proofs.stated(one.sessions.publicKey);
  await new Promise((resolve) => setImmediate(resolve));
  return how;
}

async function sendAll(count: number) {
  const all = [];
  for (let sent = 0; sent < count; sent += 1) all.push(await send());
  return all;
}

test('the first answer contains the key, the second request opens the session, and the third uses it', async () => {
  expect(await sendAll(4)).toEqual(['signature', 'signature', 'mac', 'mac']);
  expect(counts).toMatchObject({
    requests: { mac: 2, signature: 2 },
    handshakes: { opened: 1, refused: 0, failed: 0 },
    unknownSessions: 0,
  });
});

test('the metrics show the proofs of requests and the results of handshakes', async () => {
  const registry = new Registry();
  const metrics = gatewayMetrics(registry);
  counts = metrics.proofs;
  proofs = gateway();
  await sendAll(3);
  behind = [processOf()];
  await sendAll(1);
  const lines = (await registry.metrics()).split('\n');
  for (const line of [
    'tidegate_gateway_subgraph_proofs_total{proof="mac"} 2',
    'tidegate_gateway_subgraph_proofs_total{proof="signature"} 3',
    'tidegate_gateway_session_handshakes_total{outcome="opened"} 1',
    'tidegate_gateway_session_handshakes_total{outcome="refused"} 0',
    'tidegate_gateway_unknown_sessions_total 1',
  ])
    expect(lines).toContain(line);
});

test('a subgraph that gives no key, or an invalid one, gets signatures only', async () => {
  for (const stated of [undefined, '', 'x'.repeat(44), '='.repeat(43), ['a', 'b'], 5]) {
    proofs.stated(stated);
    expect(proofs.prove(claims, body).session).toBeUndefined();
  }
  // A key of small order, which cannot be used.
  proofs.stated(Buffer.alloc(32).toString('base64url'));
  for (let round = 0; round < 3; round += 1) {
    expect(proofs.prove(claims, body).session).toBeUndefined();
    await new Promise((resolve) => setImmediate(resolve));
  }
  expect(counts.handshakes).toEqual({ opened: 0, refused: 0, failed: 1 });
});

test('a session is renewed before it expires, and no request waits for the renewal', async () => {
  await sendAll(3);
  clock.nowMs = 480_000;
  expect(await sendAll(3)).toEqual(['mac', 'mac', 'mac']);
  expect(counts.handshakes.opened).toBe(2);
  clock.nowMs = 601_000;
  expect(await send()).toBe('mac');
  // If a renewal fails, the session stays valid until it expires.
  clock.nowMs = 1_000_000;
  handshakes = [
    () => {
      throw new Error('away');
    },
  ];
  expect(await sendAll(2)).toEqual(['mac', 'mac']);
  expect(counts.handshakes).toEqual({ opened: 2, refused: 0, failed: 1 });
  clock.nowMs = 1_100_000;
  expect(await sendAll(2)).toEqual(['signature', 'mac']);
});

test('a restarted process refuses the session once, and gets the same request with a signature', async () => {
  await sendAll(3);
  behind = [processOf()];
  clock.nowMs = 5_000;
  expect(await sendAll(4)).toEqual(['signature after a MAC', 'signature', 'mac', 'mac']);
  expect(counts).toMatchObject({ handshakes: { opened: 2, refused: 0 }, unknownSessions: 1 });
});

test('requests to several processes behind one address are signed, and a session is tried again a minute later', async () => {
  behind = [processOf(), processOf()];
  await sendAll(20);
  clock.nowMs = 1_000;
  await sendAll(20);
  const { handshakes, unknownSessions } = counts;
  expect(handshakes.opened + handshakes.refused).toBeLessThanOrEqual(3);
  expect(unknownSessions).toBeLessThanOrEqual(1);
  clock.nowMs = 59_000;
  expect(new Set(await sendAll(20))).toEqual(new Set(['signature']));
  behind = behind.slice(0, 1);
  clock.nowMs = 62_000;
  await sendAll(1);
  clock.nowMs = 64_000;
  expect((await sendAll(4)).at(-1)).toBe('mac');
});

test("gateways that displace each other's sessions try at most once a second, and sign their requests", async () => {
  behind = [processOf(1)];
  const gateways = [proofs, gateway()];
  const sessionsOf = new Map<PlaceProofs, number>();
  for (clock.nowMs = 0; clock.nowMs < 3_000; clock.nowMs += 100)
    for (const each of [...gateways, ...gateways]) {
      proofs = each;
      if ((await send()) === 'signature after a MAC') sessionsOf.set(each, (sessionsOf.get(each) ?? 0) + 1);
    }
  expect(counts.handshakes.opened).toBeLessThanOrEqual(6);
  for (const lost of sessionsOf.values()) expect(lost).toBeLessThanOrEqual(3);
});

test('a handshake that is refused or gets an unexpected answer is retried seconds later', async () => {
  const answers: HandshakeAnswer[] = [
    { status: 404, text: '<html>' },
    { status: 200, text: '{"session":"another"}' },
    { status: 409, text: '{}' },
    { status: 409, text: JSON.stringify({ code: otherKeyCode, subgraphKey: behind[0]?.sessions.publicKey }) },
  ];
  handshakes = answers.map((answer) => () => answer);
  for (clock.nowMs = 0; clock.nowMs <= 16_000; clock.nowMs += 1_000) expect(await send()).toBe('signature');
  expect(counts.handshakes).toEqual({ opened: 0, refused: 4, failed: 0 });
  clock.nowMs = 25_000;
  expect(await sendAll(2)).toEqual(['signature', 'mac']);
});

test("a gateway's new key is used at once, and the session of the old key is dropped", async () => {
  expect(await sendAll(3)).toContain('mac');
  signing.replace({ active: 'k2', keys: privateKeys });
  clock.nowMs = 2_000;
  expect(await sendAll(2)).toEqual(['signature', 'mac']);
});
