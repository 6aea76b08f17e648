// Sessions between a gateway and a process of a subgraph: what opens a session, what its MACs prove, and what they do not prove.
import { randomUUID } from 'node:crypto';
import { beforeEach, describe, expect, test } from '@jest/globals';
import { AcceptedSessions } from '../../../platform/graph/accepted-sessions.ts';
import {
  type AgreementKey,
  type Handshake,
  newAgreementKey,
  RequestSession,
  type SignedHandshake,
} from '../../../platform/graph/request-session.ts';
import { IdentityChecker, proveIdentity, signIdentity } from '../../../platform/graph/signed-identity.ts';
import { newKeyPair, PublicKeys } from '../../../platform/secrets/key-pairs.ts';
import { publicFile, testPair } from '../../support/product/signing-keys.ts';

const { signingKeys, publicKeys } = testPair('gateway');
const nowMs = 1_800_000_000_000;
const body = '{"query":"{ callers }"}';
const claims = { identity: null, requestId: 'r', clientAddress: '192.0.2.1' };
const clock = { nowMs: 0 };

/** A process that serves a subgraph. */
function processOf({ audience = 'relay', keys = publicKeys, most = 1_000 } = {}): IdentityChecker {
  const sessions = new AcceptedSessions({ keys, most, nowMs: () => clock.nowMs });
  return new IdentityChecker({ keys, audience, sessions });
}

interface Wish {
  readonly audience?: string;
  readonly seconds?: number;
  /** The key as the gateway received it. An attacker in the middle may have sent it. */
  readonly statedKey?: string;
}

interface Offer {
  readonly signed: SignedHandshake;
  readonly session: RequestSession;
}

/** A gateway's handshake for the stated key. */
function offerTo(one: IdentityChecker, { audience = 'relay', seconds = 600, statedKey }: Wish = {}): Offer {
  const own = newAgreementKey();
  const subgraphKey = statedKey ?? one.sessions.publicKey;
  const content: Handshake = { purpose: 'session', subgraphKey, gatewayKey: own.publicText, seconds };
  const signed = { audience, signerId: 'k1', id: randomUUID(), body: JSON.stringify(content) };
  return { signed, session: new RequestSession(own.privateKey, subgraphKey, signed) };
}

function openedWith(one: IdentityChecker, wish: Wish = {}): RequestSession {
  const { signed, session } = offerTo(one, wish);
  expect(one.sessions.open(signed)).toEqual({ id: session.id });
  return session;
}

const proofOf = (session: RequestSession, more: { readonly audience?: string; readonly id?: string } = {}) =>
  proveIdentity(session, claims, { audience: 'relay', body, ...more }, nowMs);

let one: IdentityChecker;
beforeEach(() => {
  clock.nowMs = 0;
  one = processOf();
});

test('a MAC gives the same claims as a signature, once, for its request and its time', () => {
  const session = openedWith(one);
  const proof = proofOf(session);
  expect(one.check(proof, '{"query":"{ all }"}', nowMs)).toBe('other-request');
  expect(one.check(proof, body, nowMs)).toEqual(claims);
  expect(one.check(proof, body, nowMs)).toBe('replayed');
  for (const laterMs of [15_000, -10_000]) expect(one.check(proofOf(session), body, nowMs + laterMs)).toEqual(claims);
  for (const laterMs of [15_001, -10_001]) expect(one.check(proofOf(session), body, nowMs + laterMs)).toBe('expired');
});

test('if a request is repeated with a signature, only one of the two is executed', () => {
  const session = openedWith(one);
  const id = randomUUID();
  expect(one.check(proofOf(session, { id }), body, nowMs)).toEqual(claims);
  expect(one.check(signIdentity(signingKeys, claims, { audience: 'relay', body, id }, nowMs), body, nowMs)).toBe(
    'replayed',
  );
});

/** Requests to `one` from an attacker who saw the whole exchange and has the named keys. */
const attacks: Readonly<Record<string, () => { readonly proof: string; readonly refusal: string }>> = {
  'a key of the attacker, stated in the place of the process': () => {
    const attackers = newAgreementKey();
    const { signed, session } = offerTo(one, { statedKey: attackers.publicText });
    expect(one.sessions.open(signed)).toBe('other-key');
    return { proof: proofOf(session), refusal: 'unknown-session' };
  },
  'a key of the attacker, put into the handshake after it was signed': () => {
    const { signed } = offerTo(one);
    const attackers = newAgreementKey();
    const content = { ...(JSON.parse(signed.body) as Handshake), gatewayKey: attackers.publicText };
    const body = JSON.stringify(content);
    const signature = signIdentity(signingKeys, claims, { audience: 'relay', body: signed.body }, nowMs);
    expect(one.check(signature, body, nowMs)).toBe('other-request');
    const own = new RequestSession(attackers.privateKey, one.sessions.publicKey, { ...signed, body });
    return { proof: proofOf(own), refusal: 'unknown-session' };
  },
  'the secret of another process of the same subgraph': () => ({
    proof: proofOf(openedWith(processOf())),
    refusal: 'unknown-session',
  }),
  'the secret of another subgraph': () => ({
    proof: proofOf(openedWith(processOf({ audience: 'system' }), { audience: 'system' })),
    refusal: 'unknown-session',
  }),
  'a handshake that this process stated for another subgraph': () => {
    // The subgraph "system" states the key of this process and forwards what it receives. That signature is for another audience.
    const { signed } = offerTo(one, { audience: 'system' });
    const signature = signIdentity(signingKeys, claims, { audience: 'system', body: signed.body }, nowMs);
    expect(one.check(signature, signed.body, nowMs)).toBe('forged');
    // Even if the signature were accepted, the secret would differ.
    const { session } = offerTo(one, { audience: 'system' });
    return { proof: proofOf(session), refusal: 'unknown-session' };
  },
  'a handshake sent twice': () => {
    const { signed, session } = offerTo(one);
    const signature = signIdentity(signingKeys, claims, { audience: 'relay', body: signed.body, id: signed.id }, nowMs);
    expect(one.check(signature, signed.body, nowMs)).toEqual(claims);
    expect(one.check(signature, signed.body, nowMs)).toBe('replayed');
    one.sessions.open(signed);
    const proof = proofOf(session);
    expect(one.check(proof, body, nowMs)).toEqual(claims);
    // Even if its signature were accepted again, request ids are remembered for all sessions.
    one.sessions.open(signed);
    return { proof, refusal: 'replayed' };
  },
  'a proof from before the process was started again': () => {
    const proof = proofOf(openedWith(one));
    one = processOf();
    return { proof, refusal: 'unknown-session' };
  },
  'a handshake from before the process was started again': () => {
    const { signed, session } = offerTo(one);
    one = processOf();
    expect(one.sessions.open(signed)).toBe('other-key');
    return { proof: proofOf(session), refusal: 'unknown-session' };
  },
  'a proof with another identity': () => {
    const [header, payload = '', mac] = proofOf(openedWith(one)).split('.');
    const changed = JSON.parse(Buffer.from(payload, 'base64url').toString());
    changed.identity = { kind: 'user', id: 'u', name: 'root', admin: true, projects: {}, credentialId: 'c' };
    return {
      proof: `${header}.${Buffer.from(JSON.stringify(changed)).toString('base64url')}.${mac}`,
      refusal: 'forged',
    };
  },
  'a proof for another subgraph with the secret of this one': () => ({
    proof: proofOf(openedWith(one), { audience: 'system' }),
    refusal: 'forged',
  }),
  'a signature in the place of the MAC': () => {
    const session = openedWith(one);
    const [, payload, signature] = signIdentity(signingKeys, claims, { audience: 'relay', body }, nowMs).split('.');
    return { proof: `${session.prefix}${payload}.${signature}`, refusal: 'forged' };
  },
  'a MAC in the place of the signature': () => {
    const [, payload, mac] = proofOf(openedWith(one)).split('.');
    const header = Buffer.from('{"alg":"EdDSA","kid":"k1"}').toString('base64url');
    return { proof: `${header}.${payload}.${mac}`, refusal: 'forged' };
  },
  'a MAC under the public key of the gateway': () => {
    const session = new RequestSession(newAgreementKey().privateKey, one.sessions.publicKey, offerTo(one).signed);
    const [, payload, mac] = proofOf(session).split('.');
    const header = Buffer.from('{"alg":"HS256","kid":"k1"}').toString('base64url');
    return { proof: `${header}.${payload}.${mac}`, refusal: 'unknown-session' };
  },
  'half of a MAC': () => ({ proof: proofOf(openedWith(one)).slice(0, -20), refusal: 'forged' }),
  'no MAC': () => ({ proof: `${openedWith(one).prefix}${proofOf(openedWith(one)).split('.')[1]}.`, refusal: 'forged' }),
};

test.each(Object.entries(attacks))('%s proves nothing', (_, attack) => {
  const { proof, refusal } = attack();
  expect(one.check(proof, body, nowMs)).toBe(refusal);
});

describe('a handshake is refused', () => {
  const own: AgreementKey = newAgreementKey();
  const content = () => ({
    ...{ purpose: 'session', subgraphKey: one.sessions.publicKey, gatewayKey: own.publicText, seconds: 600 },
  });
  const cases: Readonly<Record<string, () => unknown>> = {
    'a GraphQL request': () => ({ query: '{ callers }' }),
    'a GraphQL request that looks like one': () => ({ ...content(), query: '{ callers }' }),
    'another purpose': () => ({ ...content(), purpose: 'identity' }),
    'no key of the gateway': () => ({ ...content(), gatewayKey: undefined }),
    'a key of small order': () => ({ ...content(), gatewayKey: Buffer.alloc(32).toString('base64url') }),
    'a long session': () => ({ ...content(), seconds: 901 }),
    'a session without a time': () => ({ ...content(), seconds: 0 }),
    'text that is no JSON': () => undefined,
  };
  test.each(Object.entries(cases))('%s', (_, made) => {
    const signed = { audience: 'relay', signerId: 'k1', id: 'h', body: JSON.stringify(made()) ?? 'x' };
    expect(one.sessions.open(signed)).toBe('malformed');
  });
});

test('a session ends by its own time, whatever the wall clock says', () => {
  const session = openedWith(one, { seconds: 60 });
  clock.nowMs = 119_000;
  expect(one.check(proofOf(session), body, nowMs)).toEqual(claims);
  clock.nowMs = 120_000;
  expect(one.check(proofOf(session), body, nowMs)).toBe('unknown-session');
});

test('after a process changes its key, sessions that were opened with the last key stay valid', () => {
  const before = one.sessions.publicKey;
  clock.nowMs = 3_590_000;
  const session = openedWith(one);
  clock.nowMs = 3_601_000;
  expect(one.sessions.publicKey).not.toBe(before);
  expect(one.check(proofOf(session), body, nowMs)).toEqual(claims);
  expect(one.sessions.open(offerTo(one, { statedKey: before }).signed)).toBe('other-key');
});

test('a session ends when the key of its handshake is retired or replaced, and survives when the file is merely read again', () => {
  const [pair, other] = [newKeyPair(), newKeyPair()];
  const file = publicFile({ gateway: { k1: pair.publicText } });
  for (const [next, expected] of [
    [file, claims],
    [publicFile({ gateway: { k2: other.publicText } }), 'unknown-session'],
    [publicFile({ gateway: { k1: other.publicText } }), 'unknown-session'],
  ] as const) {
    const keys = new PublicKeys(file);
    one = processOf({ keys });
    const session = openedWith(one);
    expect(one.check(proofOf(session), body, nowMs)).toEqual(claims);
    keys.replace(next);
    expect(one.check(proofOf(session), body, nowMs)).toEqual(expected);
    // It stays ended even when the key returns.
    keys.replace(file);
    expect(one.check(proofOf(session), body, nowMs)).toEqual(expected);
  }
});

test('a key that signed a handshake counts as in use while its session is in use', () => {
  const pair = newKeyPair();
  const keys = new PublicKeys(publicFile({ gateway: { k1: pair.publicText } }));
  one = processOf({ keys });
  const session = openedWith(one);
  expect(keys.seen().get('gateway/k1')).toBeNull();
  one.check(proofOf(session), body, nowMs);
  expect(keys.seen().get('gateway/k1')).not.toBeNull();
});

test('a process holds a limited number of sessions: the oldest is dropped, and its gateway signs', () => {
  one = processOf({ most: 3 });
  const sessions = Array.from({ length: 4 }, () => openedWith(one));
  expect(sessions.map((session) => one.check(proofOf(session), body, nowMs))).toEqual([
    'unknown-session',
    ...[claims, claims, claims],
  ]);
});
