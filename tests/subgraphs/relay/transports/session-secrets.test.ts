// The tokens and cookies of a login open a device like its password does. If a device quotes them, they are never
// shown.
import { expect, test } from '@jest/globals';
import { SshShellServer } from '../../../../simulators/support/ssh-shell.ts';
import { type DeviceRequest, TlsServer } from '../../../../simulators/support/tls-server.ts';
import { identity, registerBackend } from '../support/relay-system.ts';
import { startRelay } from '../support/start-relay.ts';
import { pinOf } from './support/web-device.ts';

const tokens = {
  f5: 'ABCDEFGH2345IJKLMN67OPQRST',
  keystone: `gAAAAAB${'mZx4w_T-'.repeat(20)}`,
  cookie: '0%26HbE1uYcSqBbBmKkJ6Rt2wPz',
  csrf: 'A1B2C3D4E5F60718293A4B5C6D7E8F90',
  onyx: 'pXk2mVt8qJc4sNw6yBh0dFg3zLr5',
};

const json = (status: number, body: object, headers: Record<string, string | readonly string[]> = {}) => ({
  status,
  headers: { 'content-type': 'application/json', ...headers },
  body: JSON.stringify(body),
});

/** Accepts every login, and quotes all headers of every call: in text, in a value and in a name. */
function answer({ path, query, method, headers }: DeviceRequest) {
  if (path === '/mgmt/shared/authn/login') return json(200, { token: { token: tokens.f5, timeout: 1_200 } });
  if (path === '/v3/auth/tokens') return json(201, { token: {} }, { 'x-subject-token': tokens.keystone });
  if (path === '/api/v2/authentication' && method === 'POST')
    return json(
      200,
      { status_code: 5 },
      { 'set-cookie': [`session_key_443_ab12="${tokens.cookie}"; path=/`, `ccsrf_token_443_ab12="${tokens.csrf}"`] },
    );
  if (query.get('action') === 'json-login')
    return json(200, { status: 'OK', status_message: '' }, { 'set-cookie': `session=${tokens.onyx}; path=/` });
  const quoted = Object.entries(headers).map(([name, value]) => `${name}: ${String(value)}`);
  const message = `what you sent (${quoted.join(', ')}) is no good`;
  if (path.includes('/api/v2/cmdb')) {
    const entry = { name: 'kept', type: 'fqdn', fqdn: 'a.example', comment: message };
    const about = { http_method: 'GET', http_status: 200, path: 'firewall', name: 'address', vdom: 'root' };
    return json(200, { ...about, status: 'success', revision: '1', results: [entry] });
  }
  return json(path === '/admin/launch' ? 200 : 400, {
    ...{ message, status: 'ERROR', status_message: message, code: 400, executed_command: 'show' },
    ...{ NeutronError: { type: 'BadRequest', message, detail: '' }, error: -651, cli_error: message },
  });
}

const { node, device } = await startRelay({ device: () => TlsServer.start(async (request) => answer(request)) });

const password = 'the password of all';

test.each([
  { driver: 'f5-bigip', options: {}, read: 'pool.list', sent: 'x-f5-auth-token' },
  { driver: 'neutron', options: { project: 'net' }, read: 'network.list', sent: 'x-auth-token' },
  { driver: 'fortios', options: {}, read: 'address.list', sent: 'cookie' },
  { driver: 'onyx', options: { transport: 'https' }, read: 'vlan.list', sent: 'cookie' },
])('$driver', async ({ driver, options, read, sent }) => {
  const { host, port, certificate } = device;
  const authUrl = driver === 'neutron' ? { authUrl: `https://${host}:${port}/v3` } : {};
  await registerBackend(node, {
    ...{ name: driver, driver, host, port, certificateSha256: pinOf(certificate.sha256) },
    ...{ options: { ...options, ...authUrl }, credentials: { username: 'netops', password } },
  });
  const input = { backend: { name: driver }, operation: read, arguments: {} };
  const query = `query ($input: RelayReadInput!) { relayRead(input: $input) {
    result wireCall deviceError { code message } userErrors { code message } } }`;
  const shown = JSON.stringify(await node.run(identity('MEMBER'), query, { input }));
  for (const secret of [...Object.values(tokens), password]) expect(shown).not.toContain(secret);
  // The device's text is visible up to here.
  expect(shown).toContain(`${sent}: `);
  expect(shown).toContain('is no good');
  expect(shown).toContain('•••');
});

test('a command line that quotes the password where its words are cut shows no part of it', async () => {
  const secret = 'W9vJcorrecthorsebattery';
  const shell = await SshShellServer.start({
    terminal: { pagerPrompt: '--More-- ', pagerErase: '', helpKeys: '?' },
    authenticate: async () => true,
    onShell: async (terminal) => {
      terminal.write(`no session for netops with ${secret}${'!'.repeat(190)}\n`);
    },
  });
  try {
    const { host, port, hostKeySha256 } = shell;
    await registerBackend(node, {
      ...{ name: 'full', driver: 'onyx', host, port, hostKeySha256 },
      credentials: { username: 'netops', password: secret },
    });
    const input = { backend: { name: 'full' }, operation: 'vlan.list', arguments: {} };
    const query = `query ($input: RelayReadInput!) { relayRead(input: $input) {
      result deviceError { code message } userErrors { code message } } }`;
    const shown = JSON.stringify(await node.run(identity('MEMBER'), query, { input }));
    expect(shown).toContain('SESSION_REFUSED');
    expect(shown).toContain('!!!');
    expect(shown).not.toContain(secret.slice(-8));
  } finally {
    await shell.stop();
  }
}, 60_000);
