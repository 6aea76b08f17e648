// Every noun of the command line, against the running product: create, list, show and delete, if the noun has them. The program runs in this
// process, because sixty processes would cost a minute.
import { randomUUID } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { makeCertificate } from '../../platform/net/certificates.ts';
import { runCommand } from '../cli/commands/run-command.ts';
import { type TemporaryFolder, temporaryFolder, waitFor } from '../support/machine/temporary-folder.ts';
import { makeCertificates } from '../support/product/certificates.ts';
import { describeWithProduct, type Product, runningProduct } from './support/product.ts';

/** Nouns that need several hosts, a separate database, or a restored database. */
const elsewhere = ['backup', 'ha', 'clock', 'timeline'];
const mark = randomUUID().slice(0, 8);

describeWithProduct('the command line', () => {
  let product: Product;
  let folder: TemporaryFolder;
  const used = new Set<string>();
  beforeAll(async () => {
    [product, folder] = await Promise.all([runningProduct(), temporaryFolder()]);
  });
  afterAll(() => folder?.remove());

  const file = (name: string) => join(folder.path, name);
  const tidegate = async (noun: string, ...words: readonly string[]): Promise<string> => {
    used.add(noun);
    const { exitCode, stdout, stderr } = await runCommand([noun, ...words]);
    expect({ noun, words, exitCode, stderr: exitCode === 0 ? '' : stderr }).toEqual({
      noun,
      words,
      exitCode: 0,
      stderr: '',
    });
    return stdout;
  };
  const cli = (noun: string, ...words: readonly string[]) => tidegate(noun, ...words, ...place());
  const asAdministrator = (noun: string, ...words: readonly string[]) =>
    tidegate(noun, ...words, ...place(), ...admin());
  /** Uses a login at a cluster in place of an endpoint. */
  const atCluster = (noun: string, ...words: readonly string[]) => tidegate(noun, ...words, '--data', folder.path);
  const place = () => ['--url', `${product.url}/graphql`, '--data', product.data];
  const admin = () => ['--user', 'admin', '--password-file', join(product.data, 'admin.password')];

  test('a backend is created, listed, shown and deleted', async () => {
    const name = `backend-${mark}`;
    await writeFile(file('password'), 'secret');
    const account = ['--username', 'netops', '--backend-password-file', file('password')];
    const { host } = await firewall();
    const again = ['--project', 'default', '--separate-objects'];
    await asAdministrator(
      'backends',
      'create',
      name,
      '--driver',
      'linux-nftables',
      '--host',
      host,
      ...account,
      ...again,
    );
    expect(await cli('backends', 'list')).toContain(name);
    expect(await cli('backends', 'show', name)).toContain(host);
    await cli('backends', 'delete', name, '--yes');
    expect(await cli('backends', 'list')).not.toContain(name);
  });

  test('a call, its mapping and its CMP object are listed and shown, and the mapping is verified and forgotten', async () => {
    const tenant = `tenant/${mark}`;
    const input = {
      ...{ idempotencyKey: randomUUID(), backend: { name: 'lab-firewall' }, set: 'blocked', address: '203.0.113.41' },
      cmpObject: { type: 'tenant', externalId: mark },
    };
    const made = await product.change<{ operation: { id: string }; mapping: { id: string } }>(
      'firewallAddressSetElementAdd',
      input,
      'operation { id } mapping { id }',
    );
    expect(await cli('operations', 'list')).toContain('setElement.add');
    expect(await cli('operations', 'show', made.operation.id)).toContain('203.0.113.41');
    expect(await cli('mappings', 'list', '--cmp-object', tenant)).toContain('203.0.113.41');
    expect(await cli('mappings', 'verify', made.mapping.id)).toContain('MATCHES');
    expect(await cli('cmp-objects', 'show', tenant)).toContain('203.0.113.41');
    expect(await cli('events', 'list', '--cmp-object', tenant)).toContain('relayOperation.state');
    await cli('mappings', 'forget', made.mapping.id);
    expect(await cli('mappings', 'list', '--cmp-object', tenant, '--state', 'ACTIVE')).not.toContain('203.0.113.41');
  });

  test('a device is called and read with the operations of its driver, and the call is found, waited for and explained', async () => {
    expect(await cli('drivers', 'list')).toMatch(/^linux-nftables +FIREWALL /m);
    const shown = await cli('drivers', 'show', 'linux-nftables', '--operation', 'setElement.add');
    expect(shown).toMatch(/^address +yes +string/m);
    const element = JSON.stringify({ set: 'blocked', address: '203.0.113.77' });
    const tenant = `tenant/call-${mark}`;
    const call = ['lab-firewall', 'setElement.add', '--arguments', element, '--cmp-object', tenant, '--wait', '30'];
    const { id, state } = JSON.parse(await cli('call', ...call, '-o', 'json')) as { id: string; state: string };
    expect(state).toBe('SUCCEEDED');
    expect(await cli('read', 'lab-firewall', 'setElement.list', '--arguments', '{"set": "blocked"}')).toContain(
      '203.0.113.77',
    );
    // The short id, as tables show it.
    const [, short = ''] =
      /^(op_\w+) .*setElement.add/m.exec(await cli('operations', 'list', '--cmp-object', tenant)) ?? [];
    expect(await cli('operations', 'show', id)).toContain(short);
    expect(await cli('operations', 'show', short, '-o', 'wide')).toContain(id);
    expect(await cli('events', 'wait', '--subject', short, '--to', 'SUCCEEDED')).toContain('SUCCEEDED');
    expect(await cli('find', 'lab-fire')).toMatch(/^lab-firewall +backend +ONLINE +be_/m);
    expect(await cli('why', 'lab-firewall')).toMatch(/^Operating status +ONLINE$/m);
    expect(await cli('why', short)).toMatch(/^State +SUCCEEDED$/m);
    await writeFile(file('one.graphql'), 'query One($id: ID!) { relayOperation(id: $id) { state } }');
    const asked = await cli('gql', file('one.graphql'), '--variables', JSON.stringify({ id }));
    expect(JSON.parse(asked)).toEqual({ data: { relayOperation: { state: 'SUCCEEDED' } } });
    const wrong = await runCommand(['call', 'lab-firewal', 'setElement.add', '--arguments', element, ...place()]);
    expect(wrong).toMatchObject({
      ...{ exitCode: 1, stderr: expect.stringContaining('there is no backend lab-firewal; lab-firewall is near') },
    });
    const named = await runCommand(['backends', 'show', 'lab-firewal', ...place()]);
    expect(named.stderr).toContain("there is no backend 'lab-firewal'; 'lab-firewall' is near");
  });

  test('the server is found by its data folder, and by a saved login', async () => {
    expect(await tidegate('backends', 'list', '--data', product.data)).toContain('lab-firewall');
    const env = { XDG_CONFIG_HOME: file('config') };
    const run = async (...words: readonly string[]) => {
      used.add(words[0] ?? '');
      const { exitCode, stdout, stderr } = await runCommand(words, { env });
      expect([words, exitCode, stderr]).toEqual([words, 0, '']);
      return stdout;
    };
    const password = join(product.data, 'admin.password');
    expect(await run('login', product.url, '--user', 'admin', '--password-file', password, '--as', 'here')).toContain(
      'administrator',
    );
    expect(await run('contexts', 'list')).toMatch(/^here +\* /m);
    expect(await run('machines', 'list', '-o', 'yaml')).not.toBe('');
    expect((await run('complete-names', 'backends', '--begin', 'lab-f')).split('\n')).toContain('lab-firewall');
    used.delete('complete-names');
    await run('contexts', 'delete', 'here');
    expect(await run('contexts', 'list', '-o', 'name')).toBe('');
  });

  test('a load balancer and all of its parts are created, listed and deleted', async () => {
    const name = `balancer-${mark}`;
    const { WEB1, WEB2, WEB_PORT } = await product.part('balancers');
    const [first, second] = [`${WEB1}:${WEB_PORT}`, `${WEB2}:${WEB_PORT}`];
    const of = ['--loadbalancer', name];
    const listener = [...of, '--listener', '8080'];
    await cli('loadbalancers', 'create', name, '--http', '80', '--member', first, '--nodes', '1..1');
    expect(await cli('loadbalancers', 'list')).toContain(name);
    expect(await cli('loadbalancers', 'show', name)).toContain(`http://${name}.default.lb.lab.test/`);
    expect(await cli('nodes', 'list', ...of)).toContain('SERVING');
    await cli('pools', 'create', 'more', ...of);
    expect(await cli('pools', 'list', ...of)).toMatch(/^more /m);
    await cli('members', 'create', second, '--pool', `${name}/more`);
    expect(await cli('members', 'list', '--pool', `${name}/more`)).toContain(second);
    await cli('listeners', 'create', '8080', ...of, '--default-pool', 'more');
    expect(await cli('listeners', 'list', ...of)).toContain('8080');
    await cli('l7policies', 'create', 'closed', ...listener, '--action', 'REJECT');
    const rule = ['--type', 'PATH', '--compare', 'STARTS_WITH', '--value', '/closed'];
    await cli('l7rules', 'create', ...listener, '--policy', 'closed', ...rule);
    expect(await cli('l7rules', 'list', ...listener, '--policy', 'closed')).toContain('/closed');
    expect(await cli('l7policies', 'list', ...listener)).toContain('closed');
    await cli('l7policies', 'delete', 'closed', ...listener);
    await cli('listeners', 'delete', '8080', ...of);
    await cli('members', 'delete', second, '--pool', `${name}/more`);
    await cli('pools', 'delete', 'more', ...of);
    expect(await cli('pools', 'list', ...of)).not.toMatch(/^more /m);
    await cli('loadbalancers', 'delete', name, '--yes');
    await waitFor('its deletion', async () => !(await cli('loadbalancers', 'list')).includes(name));
  });

  test('parts that load balancers use: hosts, quotas, subnets and certificates', async () => {
    expect(await asAdministrator('hosts', 'list')).toContain('host1');
    expect(await cli('quotas', 'list')).toContain('NODES');
    const subnet = `subnet-${mark}`;
    await cli('subnets', 'create', subnet, '--cidr', '10.77.0.0/24');
    expect(await cli('subnets', 'list')).toContain(subnet);
    await cli('subnets', 'delete', subnet);
    expect(await cli('subnets', 'list')).not.toContain(subnet);
    const { files } = await makeCertificates(folder.path, mark);
    await cli('certificates', 'create', mark, '--chain-file', files.cert, '--key-file', files.key);
    expect(await cli('certificates', 'list')).toContain(mark);
    await cli('certificates', 'delete', mark);
    expect(await cli('certificates', 'list')).not.toContain(mark);
  });

  test('names of sites: GSLBs and zones', async () => {
    await product.part('sites');
    expect(await cli('gslbs', 'list')).toMatch(/^(NAME|FQDN|no )/i);
    expect(await asAdministrator('zones', 'list')).toContain('gslb.lab.test');
    expect(await asAdministrator('zones', 'show', 'gslb.lab.test')).toMatch(/entry key|DS/i);
  });

  /** Runs create, list, show and delete with the administrator's rights. */
  /** Members of GSLBs and name servers are those of the lab, because the product dials no other addresses. */
  const siteAt = async () => {
    const { EU: address = '', WEB_PORT: port = '', PDNS = '', DNS_PORT = '' } = await product.part('sites');
    return { address, port, nameServer: `${PDNS}:${DNS_PORT}` };
  };
  const livesAndDies = async (noun: string, name: string, ...options: readonly string[]) => {
    await asAdministrator(noun, 'create', name, ...options);
    expect(await asAdministrator(noun, 'list')).toContain(name);
    expect(await asAdministrator(noun, 'show', name)).toContain(name);
    await asAdministrator(noun, 'delete', name);
    expect(await asAdministrator(noun, 'list')).not.toContain(name);
  };

  test('a GSLB and everything that it needs are created and deleted', async () => {
    const name = `job-${mark}`;
    const [zone, fqdn] = [`${name}.test`, `www.${name}.test`];
    const { address, port, nameServer } = await siteAt();
    const of = ['--project', 'default'];
    await livesAndDies('vantage-points', name, '--region', 'north', '--latitude', '60', '--longitude', '10');
    await asAdministrator('flavors', 'create', name);
    expect(await asAdministrator('flavors', 'list')).toContain(name);
    await asAdministrator('zones', 'create', zone, '--right', `suffix=${zone},allows=outside_project`);
    await asAdministrator('gslb-pools', 'create', name, '--min-up', '1', ...of);
    await asAdministrator(
      'gslb-members',
      'create',
      'site',
      '--pool',
      name,
      '--address',
      address,
      '--service-port',
      port,
      ...of,
    );
    expect(await asAdministrator('gslb-members', 'list', '--pool', name, ...of)).toContain(address);
    await asAdministrator('gslb-monitors', 'create', name, '--check-type', 'tcp', '--target-port', '80', ...of);
    await asAdministrator('gslb-monitors', 'attach', name, '--target-pool', name, ...of);
    await asAdministrator('gslbs', 'create', fqdn, '--flavor', name, '--pool', name, ...of);
    await asAdministrator('gslbs', 'update', fqdn, '--ttl-seconds', '60', ...of);
    expect(await asAdministrator('gslbs', 'show', fqdn)).toMatch(/^TTL +60 s$/m);
    await asAdministrator('gslbs', 'delete', fqdn, '--yes', ...of);
    await waitFor('its end', async () => !(await asAdministrator('gslbs', 'list')).includes(fqdn));
    await asAdministrator('gslb-monitors', 'detach', name, '--target-pool', name, ...of);
    await asAdministrator('gslb-monitors', 'delete', name, ...of);
    await asAdministrator('gslb-members', 'delete', `${name}/site`, ...of);
    await asAdministrator('gslb-pools', 'delete', name, ...of);
    await asAdministrator('zones', 'delete', zone, '--yes');
    await asAdministrator('flavors', 'delete', name);
    await writeFile(file('tsig'), Buffer.from(mark.repeat(4)).toString('base64'));
    const rfc2136 = ['--rfc2136-server', nameServer, '--rfc2136-key-name', 'tsig'];
    const secret = ['--credentials-key-secret-file', file('tsig')];
    await livesAndDies('dns-backends', name, '--backend-type', 'rfc2136', ...rfc2136, ...secret);
  });

  test('a pool is checked by a health monitor', async () => {
    const name = `checked-${mark}`;
    await cli('loadbalancers', 'create', name, '--http', '80', '--nodes', '1..1');
    await cli('pools', 'create', 'more', '--loadbalancer', name);
    await cli('health-monitors', 'create', '--pool', `${name}/more`, '--monitor-type', 'tcp');
    expect(await cli('health-monitors', 'list', '--pool', `${name}/more`)).toContain('TCP');
    await cli('health-monitors', 'update', `${name}/more`, '--fall', '5');
    expect(await cli('health-monitors', 'show', `${name}/more`)).toMatch(/^Fall +5$/m);
    await cli('health-monitors', 'delete', `${name}/more`);
    await cli('loadbalancers', 'delete', name, '--yes');
  });

  test('people: a project, a user, a membership and a token', async () => {
    const name = `job-${mark}`;
    await asAdministrator('projects', 'create', name, '--description', 'of a job');
    await writeFile(file('password'), `correct horse ${mark}`);
    await asAdministrator('users', 'create', name, '--user-password-file', file('password'));
    expect(await asAdministrator('users', 'list')).toContain(name);
    await asAdministrator('memberships', 'set', name, '--project', name, '--role', 'operator');
    expect(await asAdministrator('memberships', 'list', '--project', name)).toMatch(
      new RegExp(`^${name} +OPERATOR`, 'm'),
    );
    const own = ['--user', name, '--password-file', file('password'), ...place()];
    const token = await tidegate('tokens', 'create', 'ci', '--project', name, '--role', 'member', ...own);
    await writeFile(file('token'), token);
    expect(await tidegate('projects', 'list', '--token-file', file('token'), ...place())).toContain(name);
    await tidegate('tokens', 'revoke', 'ci', '--project', name, ...own);
    await asAdministrator('memberships', 'remove', name, '--project', name);
    await asAdministrator('users', 'update', name, '--enabled', 'false');
    await asAdministrator('projects', 'delete', name);
    expect(await asAdministrator('projects', 'list')).not.toContain(name);
  });

  test('a file is applied, and there is no difference afterwards', async () => {
    const [name, { address, port }] = [`applied-${mark}`, await siteAt()];
    const write = (minUp: number) =>
      writeFile(
        file('pool.yaml'),
        `kind: GslbPool\nname: ${name}\nminUp: ${minUp}\n---\nkind: GslbPoolMember\npoolId: ${name}\nname: site\naddresses: [${address}]\nservicePort: ${port}\n`,
      );
    const at = ['-f', file('pool.yaml'), '--project', 'default', ...place()];
    const differs = async () => (await runCommand(['diff', ...at])).exitCode;
    await write(1);
    expect(await differs()).toBe(2);
    expect((await runCommand(['apply', ...at])).stdout).toMatch(/^GslbPoolMember +\S+\/site +5 +CREATED/m);
    expect(await differs()).toBe(0);
    await write(2);
    expect((await runCommand(['diff', ...at])).stdout).toMatch(/minUp: 1 → 2$/m);
    const exported = await runCommand(['export', '--kind', 'GslbPool', '--project', 'default', ...place()]);
    expect(exported.stdout).toContain(`kind: GslbPool\nname: ${name}\n`);
    await cli('gslb-members', 'delete', `${name}/site`, '--project', 'default');
    await cli('gslb-pools', 'delete', name, '--project', 'default');
  });

  test('a container and an object are created, listed, read and deleted, with a login at a cluster', async () => {
    await product.part('clusters');
    const container = `container-${mark}`;
    const token = ['--url', `${product.url}/graphql`, '--token-file', join(product.data, 'admin.token')];
    await atCluster('login', '--cluster', 'north', ...token);
    await atCluster('containers', 'create', container);
    expect(await atCluster('containers', 'list')).toContain(container);
    await writeFile(file('dog'), `woof ${mark}`);
    await atCluster('objects', 'create', `${container}/dog`, file('dog'));
    expect(await atCluster('objects', 'list', container)).toContain('dog');
    expect(await atCluster('objects', 'stat', `${container}/dog`)).toContain('dog');
    expect(await atCluster('objects', 'download', `${container}/dog`, '-', '--cluster', 'south')).toBe(`woof ${mark}`);
    await atCluster('objects', 'delete', `${container}/dog`);
    expect(await atCluster('objects', 'list', container)).not.toContain('dog');
    await atCluster('containers', 'delete', container);
    expect(await atCluster('containers', 'list')).not.toContain(container);
  });

  test('clusters, rings, options and access keys of object storage', async () => {
    await product.part('clusters');
    expect(await asAdministrator('clusters', 'list')).toMatch(/^north /m);
    expect(await asAdministrator('clusters', 'show', 'north')).toContain('north');
    expect(await asAdministrator('options', 'list')).toMatch(/^usual /m);
    expect(await asAdministrator('rings', 'changes')).not.toBe('');
    const key = await asAdministrator('access-keys', 'create', mark, '--project', 'default');
    const id = /^AWS_ACCESS_KEY_ID=(.*)$/m.exec(key)?.[1] ?? '';
    expect(await asAdministrator('access-keys', 'list', '--project', 'default')).toContain(id);
    await asAdministrator('access-keys', 'revoke', id);
    const listed = await asAdministrator('access-keys', 'list', '--project', 'default', '--json');
    expect(JSON.parse(listed)).toContainEqual(expect.objectContaining({ accessKeyId: id }));
  });

  test('the installation: machines, the audit trail, the clock, keys, subgraphs and the lab', async () => {
    const name = `machine-${mark}`;
    expect(await asAdministrator('machines', 'create', name, '--role', 'gateway')).not.toBe('');
    expect(await asAdministrator('machines', 'list')).toContain(name);
    expect(await asAdministrator('machines', 'show', name)).toContain('gateway');
    await asAdministrator('machines', 'revoke', name);
    expect(await asAdministrator('machines', 'list')).not.toMatch(new RegExp(`^${name} .*(JOINED|EXPECTED)`, 'm'));
    expect(await asAdministrator('audit', 'verify')).not.toBe('');
    await tidegate('keys', 'create', file('keys'));
    expect(await tidegate('keys', 'list', join(file('keys'), 'system.keys'))).not.toBe('');
    expect(await tidegate('subgraphs', 'base')).toContain('type ');
    expect(await tidegate('lab', 'list', '--data', product.data)).toMatch(/^firewall +RUNNING/m);
  });

  test('an expiring certificate fires an alert, which is listed, acknowledged and ended', async () => {
    const { cert, key } = await makeCertificate({
      ...{ commonName: mark, names: [`${mark}.example`], notAfter: new Date(Date.now() + 3 * 86_400_000) },
    });
    await writeFile(file('short.pem'), cert);
    await writeFile(file('short.key'), key);
    const name = `short-${mark}`;
    await cli('certificates', 'create', name, '--chain-file', file('short.pem'), '--key-file', file('short.key'));
    const of = ['--project', 'default'];
    await cli('alert-rules', 'create', name, '--condition', 'certificate_expires', ...of);
    expect(await cli('alert-rules', 'show', name, ...of)).toContain('CERTIFICATE_EXPIRES');
    interface Listed {
      readonly id: string;
      readonly alertState: string;
      readonly subjectName: string | null;
    }
    const listed = async (...words: readonly string[]): Promise<readonly Listed[]> => {
      const all = JSON.parse(await cli('alerts', 'list', '--limit', '100', ...words, '--json')) as readonly Listed[];
      return all.filter(({ subjectName }) => subjectName === name);
    };
    const { id } = await waitFor('the alert', async () => (await listed())[0]);
    await cli('alerts', 'acknowledge', id);
    expect(await listed('--state', 'acknowledged')).toMatchObject([{ id }]);
    await cli('alerts', 'end', id);
    // The certificate still expires, so another alert may fire.
    expect((await listed()).filter((each) => each.id === id)).toEqual([]);
    expect((await listed('--resolved')).find((each) => each.id === id)?.alertState).toBe('RESOLVED');
    await cli('alert-rules', 'delete', name, ...of);
    expect(await cli('alert-rules', 'list', ...of)).not.toContain(name);
    await cli('certificates', 'delete', name);
  });

  test('an alert channel is created, with its secret shown once, and deleted', async () => {
    const name = `channel-${mark}`;
    const of = ['--project', 'default'];
    const { address, port } = await siteAt();
    await writeFile(file('url'), `https://${address}:${port}/hook`);
    const { exitCode, stdout, stderr } = await runCommand([
      ...['alert-channels', 'create', name, '--target-webhook-url-file', file('url'), ...of, ...place()],
    ]);
    expect([exitCode, stdout, stderr]).toEqual([0, expect.stringContaining('whsec_'), expect.stringContaining('keep')]);
    const shown = await cli('alert-channels', 'show', name, ...of);
    expect(shown).toContain(address);
    expect(shown).not.toContain('whsec_');
    await cli('alert-channels', 'delete', name, ...of);
    expect(await cli('alert-channels', 'list', ...of)).not.toContain(name);
  });

  test('an operation is explained, published, listed, run by its hash, checked and removed', async () => {
    const operation = `Published${mark}`;
    const text = `query ${operation} { backends(first: 1) { nodes { name } } }`;
    await writeFile(file('published.graphql'), text);
    const { stdout } = await runCommand(['explain', file('published.graphql'), ...place()]);
    expect(stdout).toMatch(/^relay$/m);
    const hash = /^SHA-256 +([0-9a-f]{64})$/m.exec(stdout)?.[1] ?? '';
    await asAdministrator('published', 'add', file('published.graphql'));
    expect(await asAdministrator('published', 'list')).toContain(operation);
    const run = async () => {
      const headers = { authorization: `Bearer ${product.token}` };
      const answer = await fetch(`${product.url}/graphql?id=${hash}`, { headers });
      return (await answer.json()) as { readonly data?: { readonly backends?: unknown } };
    };
    await waitFor('the gateway knows it', async () => (await run()).data?.backends !== undefined);
    const schema = join(import.meta.dirname, '../../schema/api.graphql');
    await asAdministrator('published', 'check', schema);
    await asAdministrator('published', 'remove', hash);
    expect(await asAdministrator('published', 'list')).not.toContain(operation);
    await waitFor('the gateway forgets it', async () => (await run()).data?.backends === undefined);
  });

  test('no noun is missing from these tests', async () => {
    const help = (await runCommand(['--help'])).stdout;
    const ofNouns = help.slice(help.indexOf('Projects and people:'), help.indexOf('Verbs without a noun'));
    const nouns = [...ofNouns.matchAll(/^ {2}([a-z0-9-]+) /gm)];
    for (const verb of ['login', 'call', 'read', 'find', 'why', 'gql']) used.delete(verb);
    expect([...used, ...elsewhere].sort()).toEqual(nouns.map(([, noun]) => noun).sort());
  });

  async function firewall(): Promise<{ host: string }> {
    const { backends: page } = await product.ask<{ backends: { nodes: [{ host: string }] } }>(
      '{ backends(names: ["lab-firewall"]) { nodes { host } } }',
    );
    return page.nodes[0];
  }
});
