// Reads the fingerprint that a device shows before it becomes a backend, from a real sshd and a real TLS server. The
// reader never logs in, obeys the egress policy, and allows each caller one read at a time.
import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { createServer as createTcpServer, type Server as TcpServer } from 'node:net';
import { createServer, type Server } from 'node:tls';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Identity } from '../../../../../platform/caller/identity.ts';
import { makeCertificate } from '../../../../../platform/net/certificates.ts';
import { egressFrom } from '../../../../../platform/net/egress.ts';
import { encodeId } from '../../../../../platform/values/ids.ts';
import { testEgress } from '../../../../support/machine/egress.ts';
import { RealSshd } from '../../../../support/servers/real-sshd.ts';
import { identity, projectA, projectB, type RelayNode, RelaySystem } from '../../support/relay-system.ts';

interface Answer {
  readonly presented: { readonly kind: string; readonly sha256: string; readonly hex: string } | null;
  readonly keyAlgorithm: string | null;
  readonly subject: string | null;
  readonly deviceError: { readonly code: string; readonly message: string } | null;
  readonly userErrors: readonly {
    readonly code: string;
    readonly message: string;
    readonly field: readonly string[];
  }[];
}

let system: RelaySystem;
let node: RelayNode;
let guarded: RelayNode;
let sshd: RealSshd;
let certificate = '';
let tls: Server;
const operator = identity('OPERATOR');

beforeAll(async () => {
  system = await RelaySystem.start();
  node = await system.node({ egress: testEgress, settings: { connectTimeoutMs: 1_500 } });
  guarded = await system.node({ egress: egressFrom({}) });
  sshd = await RealSshd.start();
  const made = await makeCertificate({ commonName: 'device', names: ['127.0.0.1'] });
  certificate = made.cert;
  tls = createServer({ cert: made.cert, key: made.key });
  tls.listen(0, '127.0.0.1');
  await once(tls, 'listening');
});

afterAll(async () => {
  tls?.close();
  await sshd?.stop();
  await system?.stop();
});

async function read(input: object, caller = operator, at = node): Promise<Answer> {
  const text = `query ($input: BackendProofReadInput!) { backendProofRead(input: $input) { presented { kind sha256 hex } keyAlgorithm subject
    deviceError { code message } userErrors { code message field } } }`;
  const given = { driver: 'linux-nftables', host: '127.0.0.1', projectId: encodeId('Project', projectA), ...input };
  const { data, errors } = await at.run<{ backendProofRead: Answer }>(caller, text, { input: given });
  expect(errors).toEqual([]);
  if (!data) throw new Error('no data');
  return data.backendProofRead;
}

test("an SSH server's host key is read without a log-in", async () => {
  const found = await read({ port: sshd.port });
  expect(found).toMatchObject({ deviceError: null, userErrors: [], keyAlgorithm: 'ssh-ed25519', subject: null });
  expect(found.presented).toMatchObject({ kind: 'HOST_KEY', sha256: sshd.hostKeySha256 });
  expect(found.presented?.hex).toMatch(/^([0-9A-F]{2}:){31}[0-9A-F]{2}$/);
  expect(sshd.secretsTried).toEqual([]);
});

test("a TLS server's certificate is read", async () => {
  const { port } = tls.address() as AddressInfo;
  const found = await read({ driver: 'f5-bigip', port });
  expect(found).toMatchObject({ deviceError: null, userErrors: [], keyAlgorithm: null, subject: 'CN=device' });
  expect(found.presented).toMatchObject({
    kind: 'CERTIFICATE',
    hex: new X509Certificate(certificate).fingerprint256,
  });
});

test('a driver with two protocols uses the named one', async () => {
  expect(await read({ driver: 'fortios', transport: 'SSH', port: sshd.port })).toMatchObject({
    presented: { kind: 'HOST_KEY', sha256: sshd.hostKeySha256 },
  });
  expect((await read({ transport: 'HTTPS', port: sshd.port })).userErrors).toMatchObject([
    { code: 'INVALID_INPUT', field: ['input', 'transport'] },
  ]);
});

test("a device that does not answer gives the failure's message", async () => {
  const silent = createTcpServer((socket) => void socket.on('error', () => undefined).resume());
  silent.listen(0, '127.0.0.1');
  await once(silent, 'listening');
  const { port } = silent.address() as AddressInfo;
  const [first, second] = await Promise.all([read({ port }), read({ port })]);
  // The second request is refused at once, because a caller reads one at a time.
  const refused = [first, second].filter(({ userErrors }) => userErrors.length > 0);
  expect(refused.map(({ userErrors }) => userErrors[0]?.code)).toEqual(['BUSY']);
  const asked = [first, second].find(({ userErrors }) => userErrors.length === 0);
  expect(asked).toMatchObject({ presented: null, deviceError: { code: 'CONNECT_FAILED' } });
  expect(asked?.deviceError?.message).toContain('no answer within 1500 ms');
  await new Promise<void>((resolve) => silent.close(() => resolve()));
  expect((await read({ port })).deviceError?.message).toContain('ECONNREFUSED');
});

test('the egress policy applies to addresses and to names', async () => {
  expect((await read({ port: sshd.port }, operator, guarded)).userErrors).toMatchObject([
    { code: 'EGRESS_DENIED', field: ['input', 'host'] },
  ]);
  expect(await read({ host: 'localhost', port: sshd.port }, operator, guarded)).toMatchObject({
    presented: null,
    deviceError: { code: 'EGRESS_DENIED' },
  });
});

test('only operators of the project may read, at most 20 times a minute', async () => {
  expect((await read({ port: sshd.port }, identity('MEMBER'))).userErrors).toMatchObject([{ code: 'FORBIDDEN' }]);
  const stranger = identity('OPERATOR', '00000000-0000-7000-8000-00000000beef');
  expect((await read({ port: sshd.port }, stranger)).userErrors).toMatchObject([{ code: 'NOT_FOUND' }]);
  expect((await read({ driver: 'none' })).userErrors).toMatchObject([{ field: ['input', 'driver'] }]);
  const eager = identity('OPERATOR');
  const codes: (string | undefined)[] = [];
  for (let times = 0; times < 21; times += 1) codes.push((await read({ port: sshd.port }, eager)).userErrors[0]?.code);
  expect(codes.slice(0, 20)).toEqual(Array(20).fill(undefined));
  expect(codes.at(-1)).toBe('RATE_LIMITED');
});

describe('API tokens', () => {
  let silent: TcpServer;
  let port = 0;

  beforeAll(async () => {
    silent = createTcpServer((socket) => void socket.on('error', () => undefined).resume());
    silent.listen(0, '127.0.0.1');
    await once(silent, 'listening');
    ({ port } = silent.address() as AddressInfo);
  });
  afterAll(() => void silent?.close());

  const token = (ownerId?: string, project = projectA): Identity => ({
    ...identity('OPERATOR', project),
    kind: 'token',
    ...(ownerId === undefined ? {} : { ownerId }),
  });
  const codesOf = (answers: readonly Answer[]) =>
    answers.flatMap(({ userErrors }) => userErrors.map(({ code }) => code));

  test('count together with those of the same user', async () => {
    const user = identity('OPERATOR');
    const answers = await Promise.all([user, token(user.id), token(user.id)].map((each) => read({ port }, each)));
    expect(codesOf(answers)).toEqual(['BUSY', 'BUSY']);
  });

  test('without a user take half of the places in their project, and leave the rest to other callers', async () => {
    const crowd = Array.from({ length: 10 }, () => read({ port }, token()));
    const other = read({ port, projectId: encodeId('Project', projectB) }, token(undefined, projectB));
    expect(codesOf(await Promise.all(crowd))).toEqual(Array(6).fill('BUSY'));
    expect(await other).toMatchObject({ userErrors: [], deviceError: { code: 'CONNECT_FAILED' } });
  });
});
