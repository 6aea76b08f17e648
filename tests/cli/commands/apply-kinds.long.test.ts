// `apply`, `diff` and `export` of the kinds in the registry, on a real system: exported objects are applied without a change.
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { makeCertificate } from '../../../platform/net/certificates.ts';
import { type TemporaryFolder, temporaryFolder } from '../../support/machine/temporary-folder.ts';
import { type RunningSystem, runningSystem } from '../../support/product/running-system.ts';
import { runCommand } from './run-command.ts';

interface Row {
  readonly kind: string;
  readonly name: string;
  readonly result: string;
  readonly changes: readonly { readonly field: string }[];
}

let system: RunningSystem;
let folder: TemporaryFolder;

beforeAll(async () => {
  [system, folder] = [await runningSystem(), await temporaryFolder()];
});
afterAll(async () => {
  await system?.stop();
  await folder?.remove();
});

const file = (name: string) => join(folder.path, name);
const at = () => [
  '--url',
  system.url,
  '--user',
  'admin',
  '--password-file',
  join(system.folder, 'accounts/admin.password'),
];
const run = (...words: readonly string[]) =>
  runCommand([...words, '--project', 'default', ...at()], { env: { TIDEGATE_SECRET_USER: 'correct horse battery' } });

async function apply(text: string, ...more: readonly string[]) {
  await writeFile(file('wanted.yaml'), text);
  const done = await run('apply', '-f', file('wanted.yaml'), '--secret-folder', folder.path, '--json', ...more);
  expect(`${done.stdout}${done.stderr}`).not.toContain('correct horse');
  return { ...done, rows: () => JSON.parse(done.stdout) as readonly Row[] };
}
const results = (rows: readonly Row[]) => rows.map(({ kind, name, result }) => `${kind} ${name} ${result}`);

// Names to which others refer come last, but references decide the order.
const everything = `kind: Gslb
fqdn: www.apply.test
flavorId: usual-2
poolIds: [web, spare]
ttlSeconds: 60
---
kind: GslbPoolMember
poolId: web
name: east
addresses: [192.0.2.1, "2001:DB8::1"]
---
kind: GslbMonitor
name: alive
checkType: https
targetPort: 443
parameters: { https: { path: /alive, expectedCodes: "204" } }
---
- { kind: GslbPool, name: web, quorum: { leastRegions: 2 } }
- { kind: GslbPool, name: spare, failback: { mode: DELAYED, delayMs: 500 } }
---
kind: GslbFlavor
name: usual-2
policies: [ROUND_ROBIN]
---
kind: DnsZone
name: apply.test
rights: [{ suffix: apply.test, projectId: default, allows: [OUTSIDE_PROJECT] }]
---
kind: GslbVantagePoint
name: north
region: north
latitude: 60.5
longitude: 10
beacons: [{ host: 192.0.2.9, port: 443 }]
---
{ kind: GslbVantagePoint, name: south, region: south, latitude: -33, longitude: 151 }
---
kind: Membership
userId: alice
role: member
---
kind: User
name: alice
password: { env: TIDEGATE_SECRET_USER }
---
kind: LoadBalancerQuota
quota: NODES
limit: 17
---
kind: Project
name: other
description: of a file
`;

test('the first run creates all kinds in the order of their references; the second changes nothing', async () => {
  const first = await apply(everything);
  expect([first.exitCode, first.stderr]).toEqual([0, '']);
  expect(results(first.rows())).toEqual([
    'Project other CREATED',
    'User alice CREATED',
    'Membership alice CREATED',
    'LoadBalancerQuota NODES UPDATED',
    'DnsZone apply.test CREATED',
    'GslbVantagePoint north CREATED',
    'GslbVantagePoint south CREATED',
    'GslbFlavor usual-2 CREATED',
    'GslbMonitor alive CREATED',
    'GslbPool web CREATED',
    'GslbPool spare CREATED',
    'GslbPoolMember web/east CREATED',
    'Gslb www.apply.test CREATED',
  ]);
  const again = await apply(everything);
  expect(results(again.rows()).filter((each) => !each.endsWith('UNCHANGED'))).toEqual([]);
});

test('differences are sent, with the stored values of a field that is sent as a whole', async () => {
  const other = everything
    .replace('path: /alive', 'path: /ready')
    .replace('leastRegions: 2', 'freshMs: 60000')
    .replace('poolIds: [web, spare]', 'poolIds: [spare]')
    .replace('role: member', 'role: VIEWER');
  await writeFile(file('wanted.yaml'), other);
  const seen = await run('diff', '-f', file('wanted.yaml'));
  expect([seen.exitCode, seen.stderr]).toEqual([2, '']);
  expect(seen.stdout).toMatch(/^GslbPool +web +\d+ +WOULD_UPDATE +quorum: /m);
  expect(seen.stdout).not.toContain('UNCHANGED');
  const changed = await apply(other);
  const updated = changed.rows().filter(({ result }) => result === 'UPDATED');
  expect(updated.map(({ kind, changes }) => [kind, changes.map(({ field }) => field)])).toEqual([
    ...[
      ['Membership', ['role']],
      ['GslbMonitor', ['parameters']],
      ['GslbPool', ['quorum']],
      ['Gslb', ['poolIds']],
    ],
  ]);
  const pool = await run('gslb-pools', 'show', 'web', '--json');
  expect(JSON.parse(pool.stdout).quorum).toMatchObject({ leastRegions: 2, freshMs: 60_000 });
  const monitor = await run('gslb-monitors', 'show', 'alive', '--json');
  expect(JSON.parse(monitor.stdout).parameters).toMatchObject({ path: '/ready', expectedCodes: '204' });
  expect((await run('diff', '-f', file('wanted.yaml'))).exitCode).toBe(0);
});

test('exported objects of all kinds are applied without a change', async () => {
  const { cert, key } = await makeCertificate({ commonName: 'web.test', names: ['web.test'] });
  await writeFile(file('web.pem'), cert);
  await writeFile(file('web.key'), key);
  const balancer = `kind: TlsCertificate
name: web
chain: { file: web.pem }
privateKey: { file: web.key }
---
kind: ProjectSubnet
name: inner
cidr: 10.9.0.0/24
---
kind: Backend
name: fw-1
driver: linux-nftables
host: 192.0.2.1
labels: { rack: b12 }
credentials: { username: netops, password: { env: TIDEGATE_SECRET_USER } }
---
kind: LoadBalancer
name: web
subnetId: inner
minNodes: 1
maxNodes: 3
autoscaling: { targetPercent: 70, schedule: [{ days: [1], from: "08:00", to: "18:00", minNodes: 2, maxNodes: 3 }] }
pools:
  - name: default
    memberProtocol: HTTP
    members: [{ host: 192.0.2.10, port: 80 }, { host: 192.0.2.11, port: 80, weight: 5 }]
    healthMonitor: { monitorType: HTTP, path: /alive }
  - { name: static, memberProtocol: HTTP, tls: true, clientCertificateId: web }
listeners:
  - protocol: TERMINATED_HTTPS
    port: 443
    defaultPool: default
    certificateIds: [web]
    l7Policies:
      - name: images
        action: REDIRECT_TO_POOL
        redirectPool: static
        l7Rules: [{ ruleType: PATH, compareType: STARTS_WITH, value: /images }]
`;
  const made = await apply(balancer);
  expect([made.exitCode, made.stderr]).toEqual([0, '']);
  const exported = await run('export', '-f', file('all.yaml'));
  expect([exported.exitCode, exported.stderr]).toEqual([0, '']);
  const text = await readFile(file('all.yaml'), 'utf8');
  for (const each of [
    'kind: User\n',
    'redirectPool: static',
    'password: not shown',
    'kind: Backend',
    'targetPercent: 70',
  ])
    expect(text).toContain(each);
  expect(text).not.toContain('correct horse');
  expect(text).not.toContain('PRIVATE KEY');
  const seen = await run('diff', '-f', file('all.yaml'));
  expect([seen.exitCode, seen.stdout, seen.stderr]).toEqual([0, 'KIND  NAME  LINE  RESULT  WHAT\n', '']);
  for (const more of [['--prune'], ['--prune', '--source', 'copy'], ['--dry-run=server']]) {
    const again = await run('apply', '-f', file('all.yaml'), '--json', ...more);
    expect([again.exitCode, again.stderr]).toEqual([0, '']);
    const rows = JSON.parse(again.stdout) as readonly Row[];
    expect(results(rows).filter((each) => !each.endsWith('UNCHANGED'))).toEqual([]);
    expect(rows.length).toBeGreaterThan(20);
  }
});

test('find knows addresses of backends, of members of load balancers and of names, whole or by their beginning', async () => {
  const found = async (word: string, as: readonly string[] = at()) => {
    const { stdout } = await runCommand(['find', word, '--json', ...as]);
    const rows = JSON.parse(stdout) as readonly { readonly kind: string; readonly name: string }[];
    return rows.map(({ kind, name }) => `${kind} ${name}`);
  };
  await run('gslbs', 'create', 'at.apply.test', '--flavor', 'usual-2', '--pool', 'web');
  expect(await found('192.0.2.1')).toEqual([
    'backend fw-1 at 192.0.2.1',
    'load balancer web with 192.0.2.1',
    'GSLB at.apply.test with 192.0.2.1',
  ]);
  expect(await found('192.0.2.11')).toEqual(['load balancer web with 192.0.2.11']);
  expect(await found('2001:0DB8:0::1')).toEqual(['GSLB at.apply.test with 2001:0DB8:0::1']);
  expect(await found('2001:db8:')).toHaveLength(1);
  expect(await found('92.0.2.1')).toEqual([]);
  // A percent sign and an underscore stand for themselves.
  expect(await found('192.0.2_1')).toEqual([]);
  // A caller without a role in the project learns nothing about it.
  await writeFile(file('carol.password'), 'correct horse battery');
  await runCommand(['users', 'create', 'carol', '--user-password-file', file('carol.password'), ...at()]);
  const carol = ['--url', system.url, '--user', 'carol', '--password-file', file('carol.password')];
  expect(await found('192.0.2.1', carol)).toEqual([]);
  await run('memberships', 'set', 'carol', '--role', 'VIEWER');
  expect(await found('192.0.2.1', carol)).toHaveLength(3);
});

test('a source deletes only objects that it created and no longer has', async () => {
  const pools = ['a', 'b', 'c', 'd', 'e', 'f'].map((name) => `- { kind: GslbPool, name: owned-${name} }\n`);
  const member = '- { kind: GslbPoolMember, poolId: owned-f, name: east, addresses: [192.0.2.1] }\n';
  const all = [...pools, member].join('');
  await run('gslb-pools', 'create', 'by-hand');
  const made = await apply(all, '--source', 'site');
  expect(made.rows().every(({ result }) => result === 'CREATED')).toBe(true);
  expect((await apply(all, '--source', 'site', '--prune')).rows().every(({ result }) => result === 'UNCHANGED')).toBe(
    true,
  );
  // An object of another source is reported before anything is done; an object without a source may be changed.
  const other = await apply(
    '- { kind: GslbPool, name: owned-a }\n- { kind: GslbPool, name: new }\n',
    '--source',
    'other',
  );
  expect([other.exitCode, other.stderr]).toEqual([
    1,
    expect.stringContaining('GslbPool owned-a: the source site made it'),
  ]);
  const theirs = '- { kind: GslbPool, name: theirs }\n- { kind: GslbPool, name: by-hand, description: changed }\n';
  expect(results((await apply(theirs, '--source', 'other')).rows())).toEqual([
    'GslbPool theirs CREATED',
    'GslbPool by-hand UPDATED',
  ]);
  await run('gslb-pools', 'delete', 'owned-b');
  await writeFile(file('wanted.yaml'), pools.slice(2, 5).join(''));
  const seen = await run('diff', '-f', file('wanted.yaml'), '--source', 'site', '--prune');
  expect([seen.exitCode, seen.stdout]).toEqual([2, expect.stringMatching(/^GslbPool +owned-f +- +WOULD_DELETE/m)]);
  const less = await apply(pools.slice(2, 5).join(''), '--source', 'site', '--prune');
  expect(results(less.rows()).filter((each) => !each.endsWith('UNCHANGED'))).toEqual([
    'GslbPoolMember owned-f/east DELETED',
    'GslbPool owned-a DELETED',
    'GslbPool owned-f DELETED',
  ]);
  const left = JSON.parse((await run('gslb-pools', 'list', '--json')).stdout) as readonly { name: string }[];
  expect(left.map(({ name }) => name)).toEqual(expect.arrayContaining(['by-hand', 'theirs', 'owned-c']));
  expect(left.map(({ name }) => name)).not.toEqual(expect.arrayContaining(['owned-a']));
});

test('deleting more than a fifth of the objects of a source needs a confirmation', async () => {
  const pools = ['a', 'b', 'c', 'd', 'e'].map((name) => `- { kind: GslbPool, name: many-${name} }\n`);
  await apply(pools.join(''), '--source', 'many');
  const refused = await apply(pools.slice(0, 1).join(''), '--source', 'many', '--prune');
  expect([refused.exitCode, refused.stderr]).toEqual([
    1,
    expect.stringMatching(/--prune would delete 4 of 5 objects of the source: GslbPool many-.*then give --yes/),
  ]);
  expect((await run('gslb-pools', 'show', 'many-e')).exitCode).toBe(0);
  const done = await apply(pools.slice(0, 1).join(''), '--source', 'many', '--prune', '--yes');
  expect(done.rows().filter(({ result }) => result === 'DELETED')).toHaveLength(4);
});

test('objects that can not be deleted end in another way: roles and quotas get their defaults, users are disabled', async () => {
  const kept = '- { kind: Project, name: people }\n';
  const user = '- { kind: User, name: dora, password: { env: TIDEGATE_SECRET_USER } }\n';
  const set =
    '- { kind: Membership, userId: dora, role: MEMBER }\n- { kind: LoadBalancerQuota, quota: POOLS, limit: 33 }\n';
  const source = ['--source', 'people'];
  const prune = [...source, '--prune', '--yes'];
  const changed = (rows: readonly Row[]) => results(rows).filter((each) => !each.endsWith('UNCHANGED'));
  const shown = async (...words: readonly string[]) => JSON.parse((await run(...words, '--json')).stdout);
  const quota = async () => {
    const quotas = (await shown('quotas', 'list')) as readonly { readonly kind: string; readonly limit: number }[];
    return quotas.find(({ kind }) => kind === 'POOLS')?.limit;
  };
  const members = async () => (await run('memberships', 'list')).stdout;
  const usual = await quota();
  expect(changed((await apply(kept + user + set, ...source)).rows())).toEqual([
    ...['Project people CREATED', 'User dora CREATED', 'Membership dora CREATED', 'LoadBalancerQuota POOLS UPDATED'],
  ]);
  const again = await apply(kept + user + set, ...prune);
  expect(changed(again.rows())).toEqual([]);
  expect(again.stderr).toBe(
    'tidegate: 2 objects of the source outside of this project are left alone: prune those of the installation without --project\n',
  );
  // A setting that was set and ended can be set and ended again.
  for (const _ of [1, 2]) {
    expect(changed((await apply(kept + user, ...prune)).rows())).toEqual([
      ...['LoadBalancerQuota default/POOLS RESET', 'Membership default/dora DELETED'],
    ]);
    expect([await quota(), await members()]).toEqual([usual, expect.not.stringContaining('dora')]);
    expect(changed((await apply(kept + user, ...prune)).rows())).toEqual([]);
    expect(changed((await apply(kept + user + set, ...source)).rows())).toEqual([
      ...['Membership dora CREATED', 'LoadBalancerQuota POOLS UPDATED'],
    ]);
    expect([await quota(), await members()]).toEqual([33, expect.stringContaining('dora')]);
  }
  // A setting of another source stays unchanged.
  const other = await apply('- { kind: LoadBalancerQuota, quota: POOLS, limit: 34 }\n', '--source', 'other');
  expect(other.stderr).toContain('LoadBalancerQuota POOLS: the source people made it');
  const installation = async (text: string, ...more: readonly string[]) => {
    await writeFile(file('people.yaml'), text);
    return runCommand(['apply', '-f', file('people.yaml'), '--json', ...more, ...at()], {
      env: { TIDEGATE_SECRET_USER: 'correct horse battery' },
    });
  };
  const tried = await installation(kept, ...source, '--prune', '--dry-run=server');
  expect(changed(JSON.parse(tried.stdout))).toEqual(['User dora WOULD_DISABLE']);
  const ended = await installation(kept, ...prune);
  expect(changed(JSON.parse(ended.stdout))).toEqual(['User dora DISABLED']);
  expect(ended.stderr).toBe(
    'tidegate: 2 objects of the source in projects are left alone: prune them with --project\n',
  );
  const dora = await runCommand(['users', 'show', 'dora', '--json', ...at()]);
  expect(JSON.parse(dora.stdout).enabled).toBe(false);
  expect(changed(JSON.parse((await installation(kept, ...prune)).stdout))).toEqual([]);
  // Whoever disabled a user had a reason, so a file does not enable the user again, and this is reported.
  const back = await installation(kept + user, ...prune);
  expect(back.stdout).toContain('it is disabled: to enable it, \\"tidegate users update dora --enabled true\\"');
});

test('an autoscaling policy with its own document ends when the document is gone', async () => {
  const balancer = '- { kind: LoadBalancer, name: scaled, minNodes: 1, maxNodes: 3 }\n';
  const policy = '- { kind: AutoscalingPolicy, loadBalancer: scaled, targetPercent: 50 }\n';
  const changed = (rows: readonly Row[]) => results(rows).filter((each) => !each.endsWith('UNCHANGED'));
  const source = ['--source', 'scaled', '--prune', '--yes'];
  expect(changed((await apply(balancer + policy, ...source)).rows())).toEqual([
    ...['LoadBalancer scaled CREATED', 'AutoscalingPolicy scaled CREATED'],
  ]);
  expect(changed((await apply(balancer + policy, ...source)).rows())).toEqual([]);
  expect(changed((await apply(balancer, ...source)).rows())).toEqual(['AutoscalingPolicy scaled DELETED']);
  expect(changed((await apply(balancer, ...source)).rows())).toEqual([]);
  const shown = JSON.parse((await run('loadbalancers', 'show', 'scaled', '--json')).stdout);
  expect(shown.autoscaling).toBeNull();
});

test('an autoscaling policy that moves into the document of its load balancer stays', async () => {
  const policy = '- { kind: AutoscalingPolicy, loadBalancer: moved, targetPercent: 50 }\n';
  const source = ['--source', 'moved', '--prune', '--yes'];
  await apply(`- { kind: LoadBalancer, name: moved, minNodes: 1, maxNodes: 3 }\n${policy}`, ...source);
  const inside = await apply(
    '- { kind: LoadBalancer, name: moved, minNodes: 1, maxNodes: 3, autoscaling: { targetPercent: 50 } }\n',
    ...source,
  );
  expect(results(inside.rows())).toEqual(['LoadBalancer moved UNCHANGED', 'AutoscalingPolicy moved UNCHANGED']);
  const shown = JSON.parse((await run('loadbalancers', 'show', 'moved', '--json')).stdout);
  expect(shown.autoscaling).toMatchObject({ targetPercent: 50 });
});

test('values that the server stores in another form than the file do not count as differences', async () => {
  const { cert, key } = await makeCertificate({ commonName: 'kept.test', names: ['kept.test'] });
  const [head = '', ...lines] = cert.trim().split('\n');
  // The form in which some authorities write it.
  const wide =
    lines
      .slice(0, -1)
      .join('')
      .match(/.{1,76}/g) ?? [];
  await writeFile(file('kept.pem'), `\r\n${[head, ...wide, lines.at(-1)].join('\r\n')}\r\n\r\n`);
  await writeFile(file('kept.key'), key);
  await writeFile(file('hook'), 'https://203.0.113.9/hook');
  for (const name of ['kept-a', 'kept-b'])
    expect(await run('alert-channels', 'create', name, '--target-slack-url-file', file('hook'))).toMatchObject({
      exitCode: 0,
    });
  const backend = JSON.parse((await run('backends', 'show', 'fw-1', '--json')).stdout) as { readonly id: string };
  const text = `
- { kind: TlsCertificate, name: kept, chain: { file: kept.pem }, privateKey: { file: kept.key } }
- { kind: GslbPool, name: kept, minUp: null, description: null, quorum: { leastRegions: null, leastVoters: 2 } }
- { kind: GslbPoolMember, poolId: kept, name: east, memberType: FQDN, cname: Origin.Example.NET }
- { kind: GslbMonitor, name: kept, checkType: HTTP, parameters: { http: { path: null } } }
- { kind: ObjectCluster, name: kept, s3Urls: ["https://S3.example.test:443/"] }
- { kind: AlertRule, name: kept-1, condition: NAME_DEGRADED, severity: null, channelIds: [kept-a, kept-b] }
- { kind: AlertRule, name: kept-2, condition: NAME_DEGRADED, repeatMs: null, channelIds: [kept-b, kept-a] }
- { kind: AlertRule, name: kept-3, condition: BACKEND_OFFLINE, watchedSubjectId: ${backend.id} }
`;
  const made = await apply(text);
  expect(made.rows().filter(({ result }) => result !== 'CREATED')).toEqual([]);
  expect(results((await apply(text)).rows()).filter((each) => !each.endsWith('UNCHANGED'))).toEqual([]);
  // A rule that is sent once, and the subject of a rule, differ from the defaults of a new rule.
  const rules = (await run('export', '--kind', 'AlertRule')).stdout;
  expect(rules).toContain('repeatMs: null');
  expect(rules).toContain(`watchedSubjectId: ${backend.id}`);
  expect((await apply(rules)).rows().every(({ result }) => result === 'UNCHANGED')).toBe(true);
  const other = await apply(rules.replace('repeatMs: null', 'repeatMs: 14400000'));
  expect(results(other.rows()).filter((each) => !each.endsWith('UNCHANGED'))).toEqual(['AlertRule kept-2 UPDATED']);
});

test('an object that was renamed by hand is created again', async () => {
  const text = '- { kind: GslbPool, name: named }\n';
  await apply(text);
  expect((await run('gslb-pools', 'update', 'named', '--rename', 'renamed')).exitCode).toBe(0);
  expect(results((await apply(text)).rows())).toEqual(['GslbPool named CREATED']);
  expect(results((await apply(text)).rows())).toEqual(['GslbPool named UNCHANGED']);
  expect((await run('gslb-pools', 'show', 'renamed')).exitCode).toBe(0);
});

test('a request that the graph refuses as a whole is one refused step', async () => {
  const whole = (name: string) => `- { kind: GslbPool, name: ${name} }\n`;
  const text = `${whole('whole-a')}- { kind: GslbPool, name: half, minUp: 1.5 }\n${whole('whole-b')}`;
  const tried = await apply(text, '--dry-run=server');
  expect(tried.rows().map(({ result }) => result)).toEqual(['WOULD_CREATE', 'REFUSED', 'WOULD_CREATE']);
  const done = await apply(text);
  expect([done.exitCode, done.stderr]).toEqual([1, 'tidegate: 1 of 3 objects were refused\n']);
  expect(done.rows().map(({ result }) => result)).toEqual(['CREATED', 'REFUSED', 'CREATED']);
});

test('if a document names a project, its object is looked up there', async () => {
  await apply('- { kind: Project, name: beside }\n');
  const text = '- { kind: GslbPool, name: by-project, projectId: beside }\n';
  expect(results((await apply(text)).rows())).toEqual(['GslbPool by-project CREATED']);
  expect(results((await apply(text)).rows())).toEqual(['GslbPool by-project UNCHANGED']);
  // Another object of that name, in the project of the run.
  expect(results((await apply('- { kind: GslbPool, name: by-project }\n')).rows())).toEqual([
    'GslbPool by-project CREATED',
  ]);
  expect(results((await apply(text)).rows())).toEqual(['GslbPool by-project UNCHANGED']);
});

test('a run never disables its own user', async () => {
  const erin = '- { kind: User, name: erin, password: { env: TIDEGATE_SECRET_USER }, admin: true }\n';
  await apply(`${erin}- { kind: Project, name: of-erin }\n- { kind: Project, name: of-erin-2 }\n`, '--source', 'erin');
  await writeFile(file('erin.password'), 'correct horse battery');
  const asErin = ['--url', system.url, '--user', 'erin', '--password-file', file('erin.password')];
  await writeFile(file('wanted.yaml'), '- { kind: Project, name: of-erin }\n');
  const words = ['apply', '-f', file('wanted.yaml'), '--source', 'erin', '--prune', '--json', ...asErin];
  const { exitCode, stdout } = await runCommand(words);
  const rows = JSON.parse(stdout) as readonly (Row & { readonly message: string | null })[];
  expect([exitCode, rows.map(({ name, result, message }) => [name, result, message])]).toEqual([
    1,
    [
      ['of-erin', 'UNCHANGED', null],
      ['erin', 'REFUSED', expect.stringContaining('WRONG_STATE: it is the user of this run')],
      ['of-erin-2', 'DELETED', null],
    ],
  ]);
});

test('a folder counts as one file: objects refer across its files, and objects in no file are pruned', async () => {
  const at = (name: string) => join(folder.path, 'site', name);
  await mkdir(at('names'), { recursive: true });
  await writeFile(
    at('1-members.yaml'),
    'kind: GslbPoolMember\npoolId: of-folder\nname: east\naddresses: [192.0.2.1]\n',
  );
  await writeFile(at('2-pools.json'), '[{"kind":"GslbPool","name":"of-folder"},{"kind":"GslbPool","name":"spare-of"}]');
  await writeFile(at('names/monitor.yml'), 'kind: GslbMonitor\nname: of-folder\ncheckType: TCP\n');
  const words = ['-f', join(folder.path, 'site'), '--source', 'folder', '--prune'];
  const seen = await run('diff', ...words, '-R');
  expect([seen.exitCode, seen.stdout]).toEqual([
    2,
    expect.stringMatching(/^GslbPool +spare-of +2-pools\.json:1 +WOULD/m),
  ]);
  const made = await run('apply', ...words, '-R', '--json');
  const rows = JSON.parse(made.stdout) as readonly (Row & { readonly file: string; readonly line: number })[];
  expect(rows.map(({ name, result, file, line }) => [name, result, basename(file), line])).toEqual([
    ['of-folder', 'CREATED', 'monitor.yml', 1],
    ['of-folder', 'CREATED', '2-pools.json', 1],
    ['spare-of', 'CREATED', '2-pools.json', 1],
    ['of-folder/east', 'CREATED', '1-members.yaml', 1],
  ]);
  expect((await run('diff', ...words, '-R')).exitCode).toBe(0);
  await writeFile(at('2-pools.json'), '{"kind":"GslbPool","name":"of-folder"}');
  const tried = await run('apply', ...words, '-R', '--dry-run=server', '--json');
  expect(results(JSON.parse(tried.stdout)).filter((each) => !each.endsWith('UNCHANGED'))).toEqual([
    'GslbPool spare-of WOULD_DELETE',
  ]);
  // Only one level: the monitor does not belong to the union.
  const less = await run('apply', ...words, '--json');
  expect(results(JSON.parse(less.stdout)).filter((each) => !each.endsWith('UNCHANGED'))).toEqual([
    'GslbPool spare-of DELETED',
    'GslbMonitor of-folder DELETED',
  ]);
});

test('a dry run at the server reports what would be refused, and changes nothing', async () => {
  const text = `- { kind: GslbPool, name: tried }
- { kind: GslbPoolMember, poolId: tried, name: east, addresses: [192.0.2.1] }
- { kind: GslbPoolMember, poolId: web, name: tried, addresses: [not-an-address] }
- { kind: Gslb, fqdn: www.elsewhere.test, flavorId: usual-2, poolIds: [web] }
- { kind: GslbMonitor, name: alive, checkType: HTTPS, timeoutMs: 900000 }
`;
  expect((await apply(text, '--dry-run')).rows().some(({ result }) => result === 'REFUSED')).toBe(false);
  const asked = await apply(text, '--dry-run=server');
  const rows = JSON.parse(asked.stdout) as readonly (Row & { readonly message: string | null })[];
  expect(rows.map(({ name, result, message }) => [name, result, message])).toEqual([
    ['alive', 'REFUSED', expect.stringContaining('INVALID_INPUT: timeoutMs')],
    ['tried', 'WOULD_CREATE', null],
    ['tried/east', 'WOULD_CREATE', 'not asked: it needs GslbPool tried, which is not there yet'],
    ['web/tried', 'REFUSED', expect.stringContaining('INVALID_INPUT: addresses')],
    ['www.elsewhere.test', 'REFUSED', expect.stringMatching(/zone/)],
  ]);
  expect([asked.exitCode, asked.stderr]).toEqual([1, expect.stringContaining('3 of 5 objects were refused')]);
  expect(asked.stderr).toContain('1 of 5 steps were not tried: each line gives the reason');
  expect((await run('gslb-pools', 'show', 'tried')).exitCode).toBe(1);
  expect((await apply(text.split('\n')[0] ?? '', '--dry-run', 'elsewhere')).exitCode).toBe(64);
});

test.each([
  ['kind: ApiToken\nname: ci\n', 'shown only once: create it with "tidegate tokens create"'],
  ['kind: Pool\nname: web\n', 'a Pool is written inside of its LoadBalancer'],
  ['kind: GslbPool\n', 'name is missing'],
  ['kind: GslbPool\nname: x\nminimum: 3\n', '"minimum" is not a field; the fields are'],
  ['kind: GslbPoolMember\nname: x\n', 'poolId is missing: the GslbPool, by name or id'],
  ['kind: Gslb\nfqdn: a.apply.test\nflavorId: none\n', "flavorId: there is no flavor 'none', and the file has none"],
  ['kind: GslbMonitor\nname: fresh\n', 'checkType is missing: there is no such GSLB monitor yet'],
  ['kind: GslbMonitor\nname: alive\ncheckType: TCP\n', `checkType can't be changed, it is "HTTPS"`],
  ['kind: User\nname: bob\npassword: correct horse battery\n', 'password is written in the file'],
])('%j is refused, and nothing is done', async (text, message) => {
  const { exitCode, stderr } = await apply(text);
  expect([exitCode, stderr]).toEqual([1, expect.stringContaining(message)]);
  expect(stderr).toMatch(/wanted\.yaml:\d+: /);
});
