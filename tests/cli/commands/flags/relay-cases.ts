// Every option of the commands for backends, their calls and mappings, at a simulated FortiGate.
import { writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { expect } from '@jest/globals';
import ssh2 from 'ssh2';
import { makeCertificate } from '../../../../platform/net/certificates.ts';
import { waitFor } from '../../../support/machine/temporary-folder.ts';
import type { FlagRun } from './flag-run.ts';

const policy = {
  ...{ sourceInterfaces: ['any'], destinationInterfaces: ['any'], sourceAddresses: ['all'] },
  ...{ destinationAddresses: ['all'], services: ['ALL'], schedule: 'always', action: 'DENY' },
};
const hostKey = `SHA256:${'A'.repeat(43)}`;

export async function relayCases(run: FlagRun): Promise<void> {
  const { system, ok, coverage } = run;
  const { gate } = system;
  const file = async (name: string, text: string) => {
    await writeFile(system.path(name), text, { mode: 0o600 });
    return system.path(name);
  };
  const pin = `SHA256:${Buffer.from(gate.https.certificate.sha256, 'hex').toString('base64').replace(/=+$/, '')}`;
  // The fingerprint belongs to no device: a certificate of another device is refused.
  const otherPin = `SHA256:${'A'.repeat(43)}`;
  const client = await makeCertificate({ commonName: 'tidegate' });
  const sshKey = ssh2.utils.generateKeyPairSync('ed25519', {
    passphrase: 'of the key',
    cipher: 'aes256-ctr',
    rounds: 4,
  });
  const password = `--username admin --backend-password-file ${await file('gate.password', 'secret')}`;
  const key = `--username netops --private-key-file ${await file('id', sshKey.private)} --passphrase-file ${await file('passphrase', 'of the key')}`;
  const token = `--username admin --api-token-file ${await file('gate.token', 'token-of-the-gate')}`;
  const certificate = `--username admin --private-key-file ${await file('client.key', client.key)} --client-certificate-file ${await file('client.pem', client.cert)}`;
  const at = `--host ${gate.host} --port ${gate.https.port}`;
  const project = '--project default';

  await ok(
    `backends create edge --driver fortios ${at} ${password} --certificate ${pin} --site lab --label rack=b12 --allow-init --separate-objects ${project} --wait 30`,
  );
  await ok(`backends create fw --driver linux-nftables --host 127.0.0.1 ${key} --host-key ${hostKey} ${project}`);
  await ok(`backends create api --driver fortios ${at} ${token} --deletion-protected false ${project}`);
  await ok(
    `backends create ovs --driver openvswitch --host 127.0.0.1 ${certificate} --deletion-protected true ${project}`,
  );
  for (let times = 0; times < 2; times += 1) {
    await ok(`backends list ${project}`);
    await ok(`backends show edge ${project}`);
  }
  await ok(`backends update edge --disable ${project}`);
  await ok(
    `backends update edge --enable ${at} ${password} --certificate ${pin} --site east --label rack=b13 --forbid-init --separate-objects ${project} --wait 30`,
  );
  await ok(`backends update edge --allow-init ${project}`);
  await ok(`backends update fw ${key} --host-key ${hostKey} ${project}`);
  for (const value of [true, false]) await ok(`backends update api ${token} --deletion-protected ${value} ${project}`);
  await ok(`backends update ovs ${certificate} --deletion-protected false ${project}`);
  await ok(`backends update api --host 127.0.0.2 --drop-credentials ${project}`);
  await ok(`backends accept-host-key fw ${hostKey} ${key} ${project}`);
  await ok(
    `backends accept-host-key fw ${hostKey} --username netops --backend-password-file ${system.path('gate.password')} ${project}`,
  );
  await ok(`backends accept-host-key edge ${gate.ssh.hostKeySha256} ${password} ${project} --wait 30`);
  await ok(`backends accept-host-key api ${hostKey} ${token} ${project}`);
  await ok(`backends accept-certificate edge ${pin} ${password} ${project} --wait 30`);
  await ok(`backends accept-certificate api ${otherPin} ${token} ${project}`);
  await ok(`backends accept-certificate ovs ${pin} ${certificate} ${project}`);
  // No driver with a host key supports client certificates, and the server reports that.
  await coverage.ends(
    1,
    'does not use clientCertificate',
    `backends accept-host-key fw ${hostKey} ${certificate} ${project}`,
    run.env,
  );
  await ok(`backends accept-certificate api ${otherPin} ${key} ${project}`);
  await ok(`backends close-circuit edge ${project} --wait 30`);
  const list = await file(
    'backends.yaml',
    `- {name: edge, driver: fortios, host: ${gate.host}, port: ${gate.https.port}, credentials: {username: admin, password: {file: gate.password}}}\n`,
  );
  const secrets = `--secret-folder ${dirname(list)} --secret-env GATE_PASSWORD`;
  for (const where of ['client', 'server'])
    await ok(`backends import ${list} --dry-run ${where} ${secrets} ${project}`);
  await ok(`backends import ${list} --renew-credentials ${secrets} ${project}`);
  await ok(`timeline lift edge ${project} --wait 30`);

  const call = async (name: string, more: object = {}) => {
    const input = {
      ...{ backend: { name: 'edge' }, idempotencyKey: name, cmpObject: { type: 'tenant', externalId: '42' } },
      ...{ operation: 'policy.create', arguments: { name, ...policy }, ...more },
    };
    const query = `mutation ($input: RelayCallInput!) { it: relayCall(input: $input) { operation { id state } mapping { id } userErrors { code message } } }`;
    interface Called {
      readonly it: {
        readonly operation: { readonly id: string; readonly state: string };
        readonly mapping: { readonly id: string };
      };
    }
    return (await system.ask<Called>(query, { input }, system.token)).it;
  };
  const { operation, mapping } = await call('one');
  await ok('cmp-objects show tenant/42');
  await ok('cmp-objects show tenant/42');
  const filters = '--backend edge --cmp tenant/42';
  const states = (words: readonly string[]) => words.map((word) => `--state ${word}`).join(' ');
  await ok(
    `operations list ${filters} ${states(['pending', 'SENT', 'SUCCEEDED', 'FAILED', 'ACCEPTED', 'UNKNOWN', 'REJECTED'])} --name policy.create --text edge --created-from 2026-01-01 --created-before 2100-01-01T00:00:00Z --limit 5 ${project}`,
  );
  await ok(`operations show ${operation.id} --wait 10`);
  for (const [verdict, fault] of [
    ['SUCCEEDED', 'DROP_AFTER_APPLYING'],
    ['failed', 'DROP_BEFORE_APPLYING'],
  ] as const) {
    gate.device.faults.plan(fault);
    const lost = await call(`lost-${verdict}`);
    await ok(`operations settle ${lost.operation.id} --verdict ${verdict} --note seen --force --wait 10`);
  }

  const found = `${states(['ACTIVE', 'unverified', 'ORPHAN', 'DELETED'])} ${project}`;
  const results = ['matches', 'DRIFTED', 'MISSING'].map((word) => `--verification ${word}`).join(' ');
  await ok(`mappings verify ${filters} --state active --updated-from 2026-01-01 --most 9 ${project}`);
  await ok(`mappings verify --backend edge ${found} ${results}`);
  await ok(`mappings verify --backend edge --unmapped ${project}`);
  await ok(`mappings verify ${mapping.id}`);
  await ok(`mappings list ${filters} ${found} ${results} --updated-from 2026-01-01 --limit 3`);
  await ok(`mappings show ${mapping.id}`);
  await call('other', { cmpObject: undefined });
  await ok(
    `mappings adopt --backend edge --cmp tenant/43 --resource policy --scope root --key other --uuid 2 --role spare --shared ${project} --wait 10`,
  );
  await ok(`mappings export --file ${system.path('mappings.ndjson')} ${project}`);
  const exported = await ok(`mappings export ${project}`);
  const { after } = JSON.parse(exported.trim().split('\n').at(-1) ?? '{}') as { readonly after?: string };
  await ok(`mappings export --after ${after}`);

  await ok(
    `audit list --actor a --mutation relayCall --subject ${operation.id} --outcome accepted --request-id none --recorded-from 2026-01-01 --recorded-before 2100-01-01 --limit 3 ${project}`,
  );
  await ok(`audit list --mutation backend --subject edge --outcome REFUSED`);
  await ok(`audit list --last 24h --session-refreshes`);
  await ok(`events list --kind relayOperation.state --subject ${operation.id} ${project} --limit 3`);
  await ok(`events list --cmp tenant/42 --subject-type RelayOperation --subject-type Mapping ${project}`);
  const { statusCursor } = await system.ask<{ statusCursor: string }>('{ statusCursor }', {}, system.token);
  await followed(run, `events follow --kind relayOperation.state ${project} --after ${statusCursor} --json`, () =>
    call('two'),
  );
  await followed(run, `events follow --subject ${mapping.id}`, () => ok(`mappings verify ${mapping.id}`), '');
  await followed(run, 'events follow --cmp tenant/42 --subject-type Mapping', async () => undefined, '');
  await eventsWaited(run, operation.id);
  await ok('drivers list');
  await ok('drivers list');
  for (const more of ['', ' --operation policy.create']) await ok(`drivers show fortios${more}`);
  const made = JSON.stringify({ name: 'by-call', ...policy });
  await ok(['call', 'edge', 'policy.create', '--arguments', made, '--cmp', 'tenant/42', '--wait', '10']);
  await ok(['call', 'edge', 'policy.create', '--arguments', made, '--check-only', '--project', 'default']);
  await ok([
    'call',
    'edge',
    'policy.create',
    '--arguments',
    await file('arguments.json', made.replace('by-call', 'by-file')),
    '--idempotency-key',
    'flag-1',
  ]);
  for (let times = 0; times < 2; times += 1)
    await ok(['read', 'edge', 'vdom.list', '--arguments', '{"count": 5}', '--project', 'default']);
  await ok(`find edge --each 3`);
  await ok('find edge');
  await ok(`why ${operation.id}`);
  expect(await ok('why edge')).toContain('ONLINE');
  const asked = await file('asked.graphql', 'query One($id: ID!) { node(id: $id) { id } } query Two { me { name } }');
  await ok(['gql', asked, '--operation', 'One', '--variables', JSON.stringify({ id: operation.id })]);
  await coverage.ends(1, "'edge' is near", 'backends show edg', run.env);
  await coverage.ends(1, 'there is no backend edg; edge is near', 'call edg policy.create', run.env);
  await ok(`mappings forget ${mapping.id} --wait 10`);
  await ok(`backends delete edge --yes --orphan-mappings ${project} --wait 30`);
}

async function eventsWaited({ ok, coverage, env }: FlagRun, subject: string): Promise<void> {
  const [done, none] = ['--to SUCCEEDED', '--to NEVER --timeout 1'];
  for (let times = 0; times < 2; times += 1) await ok(`events wait --subject ${subject} ${done}`);
  await ok(`events wait --kind relayOperation.state --project default ${done} --timeout 30`);
  await ok(`events wait --cmp tenant/42 --subject-type RelayOperation ${done}`);
  await coverage.ends(4, 'not within 1 s', `events wait --only-new --subject ${subject} ${none}`, env);
}

/** Waits until it prints a change, if one is expected, then sends Ctrl-C. */
async function followed({ coverage, env }: FlagRun, line: string, change: () => Promise<unknown>, comes = 'SUCCEEDED') {
  await coverage.interrupted(line, env, async (following) => {
    await change();
    await waitFor('the change to be printed', () => following.stdout().includes(comes));
  });
}
