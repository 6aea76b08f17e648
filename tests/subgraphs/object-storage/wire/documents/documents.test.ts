// Signed documents, and secrets that are sealed for one cluster.
import { generateKeyPairSync } from 'node:crypto';
import { expect, test } from '@jest/globals';
import { firstRing } from '../../../../../platform/rings/next-ring.ts';
import { newKeyPair, SigningKeys } from '../../../../../platform/secrets/key-pairs.ts';
import { documentKind, documentName } from '../../../../../subgraphs/object-storage/wire/documents/documents.ts';
import { packClusters, unpackClusters } from '../../../../../subgraphs/object-storage/wire/documents/ring-clusters.ts';
import { isClusterKey, open, sealFor } from '../../../../../subgraphs/object-storage/wire/documents/seal-for.ts';
import {
  DocumentKeys,
  type SignedDocument,
  signDocument,
  verifyDocument,
} from '../../../../../subgraphs/object-storage/wire/documents/signed-document.ts';

const [first, second] = [newKeyPair(), newKeyPair()];
const signing = new SigningKeys({ active: 'k2', keys: { k1: first.privateText, k2: second.privateText } });
const known = new DocumentKeys({ keys: { k2: signing.publicText('k2') } });
const account = { id: 'a'.repeat(32), projectId: '01900000-0000-7000-8000-00000000000a', name: 'p', state: 'ACTIVE' };
const document = { name: documentName('account', account.id), generation: 7, body: JSON.stringify(account) };

test('only a document that the control plane signed is accepted, and no older one', () => {
  const signed = signDocument(signing, document);
  expect(verifyDocument(JSON.parse(JSON.stringify(signed)), known, 7)).toEqual({
    ...{ kind: 'account', name: `account/${account.id}`, generation: 7, body: account },
  });
  const gone = signDocument(signing, { ...document, body: 'null' });
  expect(verifyDocument(gone, known).body).toBeUndefined();
  const fault = (changed: object, held = 0) => {
    try {
      verifyDocument({ ...signed, ...changed } as SignedDocument, known, held);
      return 'none';
    } catch (error) {
      return (error as { fault?: string }).fault ?? String(error);
    }
  };
  expect(fault({}, 8)).toBe('OLDER');
  expect(fault({ generation: 8 })).toBe('FORGED');
  expect(fault({ name: documentName('account', 'b'.repeat(32)) })).toBe('FORGED');
  expect(fault({ body: `${document.body} ` })).toBe('FORGED');
  expect(fault({ signature: Buffer.alloc(64).toString('base64') })).toBe('FORGED');
  expect(fault({ keyId: 'k1' })).toBe('UNKNOWN_KEY');
  expect(fault({ generation: 0 })).toBe('MALFORMED');
  expect(fault({ body: 1 })).toBe('MALFORMED');
  expect(fault(signDocument(signing, document, 'k1'))).toBe('UNKNOWN_KEY');
  const other = { ...account, id: 'b'.repeat(32) };
  for (const body of ['{', '{}', '1', JSON.stringify(other)])
    expect([body, fault(signDocument(signing, { ...document, body }))]).toEqual([body, 'MALFORMED']);
  expect(fault(signDocument(signing, { ...document, name: 'accounts/x' }))).toBe('MALFORMED');
  // A reader that knows only the former key gets this answer.
  const former = new DocumentKeys({ keys: { k1: first.publicText } });
  expect(verifyDocument(signDocument(signing, document, 'k1'), former).generation).toBe(7);
});

test('the name of a document shows its kind', () => {
  expect([documentName('clusters'), documentName('ring', 0)]).toEqual(['clusters', 'ring/0']);
  const kinds = ['keys', 'ring/0', 'key/AK', 'clusters/1', 'ring', 'ring/', 'ring/1/2', 'toString', ''].map(
    documentKind,
  );
  expect(kinds).toEqual(['keys', 'ring', 'key', ...Array(6).fill(undefined)]);
});

test('the clusters of a ring are packed, and a ring of another size is refused', () => {
  const members = [0, 3, 65_534].map((cluster) => ({ cluster, weight: 1, zone: String(cluster) }));
  const ring = firstRing({ members, replicas: 2 });
  const packed = packClusters(ring.clusters);
  expect(packed.length).toBeLessThan(8_192);
  expect(unpackClusters(packed, 2)).toEqual(ring.clusters);
  expect(() => unpackClusters(packed, 3)).toThrow('a ring of 3 replicas has');
  expect(() => unpackClusters(packed, 1)).toThrow();
});

test('a secret that is sealed for a cluster opens with its key, in its place', () => {
  const pair = () => generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const [own, other] = [pair(), pair()];
  const [publicPem, privatePem] = [
    own.publicKey.export({ format: 'pem', type: 'spki' }).toString(),
    own.privateKey.export({ format: 'pem', type: 'pkcs8' }).toString(),
  ];
  const sealed = sealFor(publicPem, 'secret', 'key/AK');
  expect(open(sealed, privatePem, 'key/AK')).toBe('secret');
  expect(sealFor(publicPem, 'secret', 'key/AK')).not.toBe(sealed);
  const otherPem = other.privateKey.export({ format: 'pem', type: 'pkcs8' }).toString();
  const changed = Buffer.from(sealed, 'base64');
  changed[changed.length - 1] = (changed.at(-1) ?? 0) ^ 1;
  for (const [text, key, place] of [
    [sealed, privatePem, 'key/OTHER'],
    [sealed, otherPem, 'key/AK'],
    [changed.toString('base64'), privatePem, 'key/AK'],
    ['', privatePem, 'key/AK'],
    [Buffer.alloc(200, 1).toString('base64'), privatePem, 'key/AK'],
  ] as const)
    expect(() => open(text, key, place)).toThrow(/^key\//);
  expect([isClusterKey(publicPem), isClusterKey(privatePem), isClusterKey('x')]).toEqual([true, false, false]);
  const rsa = generateKeyPairSync('ed25519').publicKey.export({ format: 'pem', type: 'spki' }).toString();
  expect(isClusterKey(rsa)).toBe(false);
});
