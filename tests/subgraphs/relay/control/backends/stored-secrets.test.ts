// Stored secrets stay with the address that they were given for. An operator who may change backends but never sees a
// secret tries to have secrets sent to other hosts: a real sshd, a BIG-IP, a FortiGate and a Keystone.
import { afterAll, beforeEach, describe, expect, test } from '@jest/globals';
import ssh2 from 'ssh2';
import { makeCertificate } from '../../../../../platform/net/certificates.ts';
import { Keyring } from '../../../../../platform/secrets/keyring.ts';
import { createSealer } from '../../../../../platform/secrets/seal.ts';
import { decodeUuid } from '../../../../../platform/values/ids.ts';
import { BigIp } from '../../../../../simulators/f5-bigip/bigip.ts';
import { FortiGate } from '../../../../../simulators/fortios/fortigate.ts';
import { type DeviceRequest, TlsServer } from '../../../../../simulators/support/tls-server.ts';
import { BackendChecker } from '../../../../../subgraphs/relay/control/checks/backend-checker.ts';
import { testEgress } from '../../../../support/machine/egress.ts';
import { keyFile } from '../../../../support/product/test-context.ts';
import { RealSshd } from '../../../../support/servers/real-sshd.ts';
import { element, NftDevice } from '../../support/nft-device.ts';
import { call, identity, registerBackend, registerDevice, type UserErrorShape } from '../../support/relay-system.ts';
import { separateBackends } from '../../support/separate-backends.ts';
import { startRelay } from '../../support/start-relay.ts';
import { pinOf } from '../../transports/support/web-device.ts';

const operator = identity('OPERATOR');

const { system, node, device } = await startRelay({ device: () => NftDevice.start() });
const checker = new BackendChecker({ db: node.db, sealer: createSealer(new Keyring(keyFile)) });
const sshd = await RealSshd.start();
beforeEach(() => separateBackends(system.database));
afterAll(() => Promise.all([checker.close(), sshd.stop()]));

interface Payload {
  readonly backend: { readonly version: number; readonly credentialFields: readonly string[] } | null;
  readonly userErrors: readonly UserErrorShape[];
}

const fields = `backend { version credentialFields circuit { state lasting reason } hostKeySha256 }
  userErrors { code message field retry }`;
const mutate = (name: string, input: object) => node.mutate<Payload>(name, input, fields);
const update = (id: string, input: Record<string, unknown>) => mutate('backendUpdate', { id, ...input });
const codes = ({ userErrors }: Payload) => userErrors.map(({ code }) => code);

let checks = 0;
/** Like a worker after it was notified of a change. */
const check = (id: string) => {
  checks += 1;
  const target = { id: decodeUuid('Backend', id) ?? '', timeoutMs: 3_000, revision: `r${checks}` };
  return checker.check(target, { signal: new AbortController().signal, egress: testEgress });
};

describe('an operator who moves a backend to another host, and accepts its proof of identity, gets no secret', () => {
  test.each([
    ['password', { username: 'netops', password: 'secret' }],
    ['private key', { username: 'netops', privateKey: ssh2.utils.generateKeyPairSync('ecdsa', { bits: 256 }).private }],
  ])('SSH, a real sshd: %s', async (name, credentials) => {
    const id = await device.register(node, `ssh-${name.replace(' ', '-')}`, { credentials });
    await check(id);
    const moved = await update(id, { host: sshd.host, port: sshd.port });
    const accepted = await mutate('backendHostKeyAccept', { id, hostKeySha256: sshd.hostKeySha256 });
    await check(id);
    await call(node, 'add', element(`ssh-${name.replace(' ', '-')}`, '10.0.0.1'));
    expect(sshd.secretsTried).toEqual([]);
    expect([codes(moved), codes(accepted)]).toEqual([['CREDENTIALS_REQUIRED'], ['CREDENTIALS_REQUIRED']]);
  });

  test('BIG-IP', async () => {
    const [own, his] = [await BigIp.start(), await BigIp.start()];
    try {
      const id = await registerDevice(node, own.server, { name: 'waf', driver: 'f5-bigip' });
      expect(await check(id)).toMatchObject({ up: true });
      await update(id, { host: his.server.host, port: his.server.port });
      const certificateSha256 = pinOf(his.server.certificate.sha256);
      await mutate('backendCertificateAccept', { id, certificateSha256 });
      await check(id);
      expect(his.requests).toEqual([]);
      expect(await check(id)).toMatchObject({ up: true });
    } finally {
      await Promise.all([own.stop(), his.stop()]);
    }
  });

  test('FortiGate: REST to another port, the command line to another port', async () => {
    const token = 'api-token-of-the-gate-1';
    const [own, his] = [
      await FortiGate.start({ apiUsers: [{ token }], username: 'admin', password: 'gate' }),
      await FortiGate.start({ apiUsers: [{ token }], username: 'admin', password: 'gate' }),
    ];
    try {
      const id = await registerDevice(node, own.https, {
        ...{ name: 'gate', driver: 'fortios' },
        credentials: { username: 'admin', password: 'gate', apiToken: token },
      });
      expect(await check(id)).toMatchObject({ up: true });
      const certificateSha256 = pinOf(his.https.certificate.sha256);
      for (const change of [
        { port: his.https.port },
        { options: { transport: 'ssh' }, port: sshd.port },
        { options: { ports: { ssh: sshd.port } } },
      ]) {
        await update(id, change);
        await mutate('backendCertificateAccept', { id, certificateSha256 });
        await mutate('backendHostKeyAccept', { id, hostKeySha256: sshd.hostKeySha256 });
        await check(id);
        await node.run(operator, 'query ($input: RelayReadInput!) { relayRead(input: $input) { result } }', {
          input: { backend: { name: 'gate' }, operation: 'system.info', arguments: {} },
        });
      }
      expect(his.requests).toEqual([]);
      expect(sshd.secretsTried).toEqual([]);
    } finally {
      await Promise.all([own.stop(), his.stop()]);
    }
  });

  test('Neutron: another Keystone, by its URL, its certificate or an authority', async () => {
    const received: DeviceRequest[] = [];
    const answer = async (request: DeviceRequest) => {
      received.push(request);
      return { status: 401, body: '{}' };
    };
    const [own, his] = [await TlsServer.start(async () => ({ status: 503 })), await TlsServer.start(answer)];
    try {
      const options = { authUrl: `https://127.0.0.1:${own.port}/v3`, project: 'alpha' };
      const id = await registerDevice(node, own, {
        ...{ name: 'cloud', driver: 'neutron', options },
        credentials: { username: 'alpha', password: 'cloud-secret' },
      });
      const authUrl = `https://127.0.0.1:${his.port}/v3`;
      const authCertificateSha256 = pinOf(his.certificate.sha256);
      const changes = [
        { options: { ...options, authUrl, authCertificateSha256 } },
        { options: { ...options, authUrl } },
        { options: { ...options, authCertificateSha256 } },
        { options: { ...options, userDomain: 'his' } },
        { options: { ...options, basePath: '/~his' } },
        // The same Keystone would get the password, but the password was given for another project of the account.
        { options: { ...options, project: 'beta' } },
        { options: { ...options, projectDomain: 'beta' } },
        { caCertificates: his.certificate.cert },
      ];
      const refused: Payload[] = [];
      for (const change of changes) {
        refused.push(await update(id, change));
        await check(id);
      }
      await mutate('backendCertificateAccept', { id, certificateSha256: authCertificateSha256 });
      await check(id);
      expect(received).toEqual([]);
      expect(refused.map(codes)).toEqual(changes.map(() => ['CREDENTIALS_REQUIRED']));
    } finally {
      await Promise.all([own.stop(), his.stop()]);
    }
  });

  test('a server with another certificate, which the operator accepts, and weaker cryptography', async () => {
    const own = await BigIp.start();
    try {
      const id = await registerDevice(node, own.server, { name: 'renewed', driver: 'f5-bigip' });
      const other = await makeCertificate({ commonName: 'his', names: ['127.0.0.1'] });
      own.server.present(other);
      await mutate('backendCertificateAccept', { id, certificateSha256: pinOf(other.sha256) });
      await check(id);
      expect(own.requests).toEqual([]);
      for (const cryptoProfile of ['COMPAT', 'LEGACY'])
        expect(codes(await update(id, { cryptoProfile }))).toEqual(['CREDENTIALS_REQUIRED']);
    } finally {
      await own.stop();
    }
  });
});

describe('allowed changes by an operator', () => {
  const works = async (id: string) => expect(await check(id)).toMatchObject({ up: true, message: null });

  test('a refusal names the required secrets and changes nothing; with those secrets the backend moves', async () => {
    const [from, to] = [await NftDevice.start(), await NftDevice.start({ password: 'new secret' })];
    try {
      const id = await from.register(node, 'moving');
      await works(id);
      const address = { host: to.ssh.host, port: to.ssh.port, hostKeySha256: to.ssh.hostKeySha256 };
      const refused = await update(id, { ...address, labels: [{ name: 'moved', value: 'yes' }] });
      expect(refused).toMatchObject({
        backend: null,
        userErrors: [
          {
            code: 'CREDENTIALS_REQUIRED',
            field: ['input', 'credentials', 'password'],
            message: expect.stringMatching(/password of backend moving is for 127.0.0.1:\d+ .* port, hostKeySha256,/),
          },
        ],
      });
      const labels = await node.db.query('SELECT 1 FROM backend_label WHERE value = ?', ['yes']);
      expect(labels).toEqual([]);
      await works(id);
      expect((await call(node, 'add', element('moving', '10.0.0.1'))).operation?.state).toBe('SUCCEEDED');
      const credentials = { username: 'netops', password: 'new secret' };
      expect(await update(id, { ...address, credentials })).toMatchObject({ backend: { version: 2 }, userErrors: [] });
      await works(id);
      expect((await call(node, 'add', element('moving', '10.0.0.2'))).operation?.state).toBe('SUCCEEDED');
      expect([from.told.length, to.told.length]).toEqual([1, 1]);
    } finally {
      await Promise.all([from.ssh.stop(), to.ssh.stop()]);
    }
  });

  test('a reinstalled device: its new host key is accepted together with the credentials', async () => {
    const [before, after] = [await NftDevice.start(), await NftDevice.start()];
    try {
      const id = await after.register(node, 'reinstalled', { hostKeySha256: before.ssh.hostKeySha256 });
      const { hostKeySha256 } = after.ssh;
      expect(await mutate('backendHostKeyAccept', { id, hostKeySha256 })).toMatchObject({
        userErrors: [{ code: 'CREDENTIALS_REQUIRED', field: ['input', 'credentials', 'password'] }],
      });
      const credentials = { username: 'netops', password: 'secret' };
      expect(codes(await mutate('backendHostKeyAccept', { id, hostKeySha256, credentials }))).toEqual([]);
      await works(id);
      const [event] = await node.db.query<{ reason: string }>(
        "SELECT reason FROM status_change WHERE kind = 'backend.identity' AND subject_id = ? ORDER BY id DESC LIMIT 1",
        [decodeUuid('Backend', id) ?? ''],
      );
      expect(event?.reason).toBe(`host key ${hostKeySha256} accepted`);
      const bad = { username: 'netops', apiToken: 'x' };
      const refused = await mutate('backendHostKeyAccept', { id, hostKeySha256, credentials: bad });
      expect(refused.userErrors).toMatchObject([
        { code: 'INVALID_INPUT', field: ['input', 'credentials', 'apiToken'] },
      ]);
    } finally {
      await Promise.all([before.ssh.stop(), after.ssh.stop()]);
    }
  });

  test('changes that send the secrets nowhere else need no secrets: these are resealed for the current address', async () => {
    const gate = await FortiGate.start({ username: 'admin', password: 'gate' });
    try {
      const id = await registerBackend(node, {
        ...{ name: 'stays', driver: 'fortios', host: gate.host, port: gate.https.port, cryptoProfile: 'LEGACY' },
        credentials: { username: 'admin', password: 'gate' },
      });
      const certificateSha256 = pinOf(gate.https.certificate.sha256);
      const same = { host: gate.host, port: gate.https.port, options: { transport: 'https' } };
      for (const [name, change] of [
        ['backendCertificateAccept', { certificateSha256 }],
        ['backendHostKeyAccept', { hostKeySha256: `SHA256:${'a'.repeat(43)}` }],
        ['backendUpdate', { cryptoProfile: 'COMPAT' }],
        ['backendUpdate', { cryptoProfile: 'MODERN', options: { multiVdom: true } }],
        ['backendUpdate', { ...same, certificateSha256, options: { multiVdom: false } }],
        ['backendUpdate', { site: 'x', labels: [], limits: { concurrency: 3 }, allowInit: true, enabled: false }],
        ['backendUpdate', { enabled: true }],
      ] as const) {
        expect([name, codes(await mutate(name, { id, ...change }))]).toEqual([name, []]);
        await works(id);
      }
      // From now on the device has proved its identity.
      expect(codes(await update(id, { certificateSha256: `SHA256:${'a'.repeat(43)}` }))).toEqual([
        'CREDENTIALS_REQUIRED',
      ]);
      expect(codes(await update(id, { cryptoProfile: 'COMPAT' }))).toEqual(['CREDENTIALS_REQUIRED']);
    } finally {
      await gate.stop();
    }
  });

  test('after an operator deletes the secrets, nothing is sent until there are new ones, whatever the address then', async () => {
    const id = await device.register(node, 'emptied');
    await works(id);
    expect((await call(node, 'add', element('emptied', '10.0.0.1'))).operation?.state).toBe('SUCCEEDED');
    const both = await update(id, { dropCredentials: true, credentials: { username: 'u', password: 'p' } });
    expect(both.userErrors).toMatchObject([{ code: 'INVALID_INPUT', field: ['input', 'dropCredentials'] }]);
    const dropped = await update(id, { dropCredentials: true });
    const circuit = { state: 'OPEN', lasting: true, reason: expect.stringContaining('no credentials are stored') };
    expect(dropped).toMatchObject({ userErrors: [], backend: { credentialFields: [], circuit } });
    expect(
      await node.db.query(
        "SELECT 1 FROM backend_credential c JOIN backend b ON b.id = c.backend_id WHERE b.name = 'emptied'",
      ),
    ).toEqual([]);
    expect(await check(id)).toMatchObject({ up: false, message: expect.stringContaining('no credentials are stored') });
    expect((await call(node, 'add', element('emptied', '10.0.0.2'))).userErrors).toMatchObject([
      { code: 'CIRCUIT_OPEN' },
    ]);
    const moved = await update(id, { host: sshd.host, port: sshd.port, hostKeySha256: sshd.hostKeySha256 });
    expect(moved).toMatchObject({ userErrors: [], backend: { circuit } });
    expect(await mutate('backendCircuitClose', { id })).toMatchObject({ backend: { circuit } });
    await check(id);
    expect(sshd.secretsTried).toEqual([]);
    const { host, port, hostKeySha256 } = device.ssh;
    const credentials = { username: 'netops', password: 'secret' };
    expect(codes(await update(id, { host, port, hostKeySha256, credentials }))).toEqual([]);
    await works(id);
    expect((await call(node, 'add', element('emptied', '10.0.0.3'))).operation?.state).toBe('SUCCEEDED');
  });
});

describe("an attacker who writes to the database can't have secrets sent elsewhere", () => {
  const set = (id: string, sets: string, values: readonly (string | number)[] = []) =>
    node.db.execute(`UPDATE backend SET ${sets}, version = version + 1 WHERE id = ?`, [
      ...values,
      decodeUuid('Backend', id) ?? '',
    ]);

  test('by another address, host key, authority or option in the row', async () => {
    const id = await device.register(node, 'rewritten', { cryptoProfile: 'MODERN' });
    expect((await call(node, 'add', element('rewritten', '10.0.0.1'))).operation?.state).toBe('SUCCEEDED');
    const { port, hostKeySha256 } = device.ssh;
    const mine: readonly [string, string | number, string | number][] = [
      ['port', sshd.port, port],
      ['host', 'localhost', '127.0.0.1'],
      ['host_key_sha256', sshd.hostKeySha256, hostKeySha256],
      ['crypto_profile', 'LEGACY', 'MODERN'],
      ['options', '{"ports":{"ssh":2}}', '{"transport":"ssh"}'],
      ['driver', 'openvswitch', 'linux-nftables'],
      ['project_id', '01900000-0000-7000-8000-00000000000b', '01900000-0000-7000-8000-00000000000a'],
    ];
    await set(id, 'port = ?, host_key_sha256 = ?', [sshd.port, sshd.hostKeySha256]);
    const refused = await call(node, 'add', element('rewritten', '10.0.0.2'));
    expect(refused).toMatchObject({
      operation: null,
      userErrors: [{ code: 'CREDENTIALS_UNUSABLE', message: expect.stringContaining('for another address') }],
    });
    await check(id);
    await set(id, 'port = ?, host_key_sha256 = ?', [port, hostKeySha256]);
    expect((await call(node, 'add', element('rewritten', '10.0.0.2'))).operation?.state).toBe('SUCCEEDED');
    for (const [column, value, right] of mine) {
      await set(id, `${column} = ?`, [value]);
      expect(await check(id)).toMatchObject({ up: false, message: expect.stringContaining('for another address') });
      await set(id, `${column} = ?`, [right]);
      expect(await check(id)).toMatchObject({ up: true });
    }
    expect(sshd.secretsTried).toEqual([]);
  });

  test('by copying a sealed value to another backend, also one of an earlier version', async () => {
    const [theirs, his] = [await device.register(node, 'theirs'), await device.register(node, 'his')];
    const copy = `UPDATE backend_credential to_row JOIN backend_credential from_row ON from_row.field = to_row.field
      SET to_row.sealed = from_row.sealed, to_row.form = ? WHERE from_row.backend_id = ? AND to_row.backend_id = ?`;
    for (const form of [2, 1]) {
      await node.db.execute(copy, [form, decodeUuid('Backend', theirs) ?? '', decodeUuid('Backend', his) ?? '']);
      const refused = await call(node, 'add', element('his', '10.0.0.1'));
      expect(refused.userErrors).toMatchObject([{ code: 'CREDENTIALS_UNUSABLE' }]);
      expect(await check(his)).toMatchObject({ up: false, message: expect.stringContaining("can't be used") });
    }
    // Once the secrets are sent again, they work.
    await update(his, { credentials: { username: 'netops', password: 'secret' } });
    expect(await check(his)).toMatchObject({ up: true });
  });
});
