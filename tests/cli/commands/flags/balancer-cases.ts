// Every option of the commands for load balancers, their parts, nodes and hosts, on a host whose nodes are real HAProxies.
import { writeFile } from 'node:fs/promises';
import { expect } from '@jest/globals';
import { makeCertificate } from '../../../../platform/net/certificates.ts';
import { freePort } from '../../../support/machine/free-port.ts';
import { waitFor } from '../../../support/machine/temporary-folder.ts';
import type { FlagRun } from './flag-run.ts';
import { publicRange } from './flag-system.ts';

const project = '--project default';
const wait = '--wait 60';
const periods = ['second', 'MINUTE', 'HOUR'];

export async function balancerCases(run: FlagRun): Promise<void> {
  const { system, ok } = run;
  const machineFolder = system.path('machine-host');
  const healthPort = await freePort();
  const networks = `--public-range ${publicRange} --management-range ${publicRange} --nodes 30 --site east`;
  const record = `${networks} --provider loopback --health-port ${healthPort} --released`;
  const { joinToken } = JSON.parse(await ok(`machines create host-1 --role lbhost ${record} --wait 10`)) as {
    readonly joinToken: string;
  };
  await ok(`join ${joinToken} --folder ${machineFolder} --url ${system.url} --endpoint-ca ${system.authorityFile}`);
  const host = await system.startHost(machineFolder, healthPort);
  await waitFor('the host', async () => (await ok('hosts list')).includes('PRESENT'));

  const made = await makeCertificate({ commonName: 'web.test', names: ['web.test'] });
  await writeFile(system.path('web.pem'), made.cert);
  await writeFile(system.path('web.key'), made.key, { mode: 0o600 });
  const files = `--chain-file ${system.path('web.pem')} --key-file ${system.path('web.key')}`;
  const idOf = (printed: string) => (JSON.parse(printed) as { readonly id: string }).id;
  const certificate = idOf(await ok(`certificates create web ${files} ${project} ${wait} --json`));
  await ok(`certificates create spare ${files} ${project}`);
  await ok(`certificates list ${project}`);
  await alertCases(run);
  const subnet = idOf(await ok(`subnets create inner --cidr 10.9.0.0/24 ${project} ${wait} --json`));
  await ok(`subnets update inner --rename inside ${project} ${wait}`);
  await ok(`subnets list ${project}`);

  await ok(
    `loadbalancers create web --http 8080 --member ${system.member} --check http:/ --nodes 1 ${project} ${wait}`,
  );
  await ok(
    `loadbalancers create tls --https 8443 --tls-certificate ${certificate} --topology spread --subnet ${subnet} --cmp tenant/42 --description shop --tag blue --no-wait ${project}`,
  );
  await ok(
    `loadbalancers create raw --tcp 9000 --nodes 2 --topology ACTIVE_STANDBY --node-connections 900 --node-threads 2 --no-wait ${project}`,
  );
  await ok(
    `loadbalancers create auto --nodes 1..3 --requests-per-node 1000 --deletion-protected true --no-wait ${project}`,
  );
  await ok(`loadbalancers update auto --deletion-protected false ${project}`);
  await ok(`certificates update web ${files} --preview --loadbalancer tls ${project}`);
  await ok(`certificates update web ${files} ${project} ${wait}`);
  for (const name of ['raw', 'auto', 'tls']) await ok(`loadbalancers delete ${name} --yes ${project}`);
  await ok(`loadbalancers create kept --nodes 1 --deletion-protected false --no-wait ${project}`);
  await ok(`loadbalancers update kept --deletion-protected true ${project}`);
  await historyCases(run);
  await ok(`loadbalancers update kept --deletion-protected false ${project}`);
  await ok(`loadbalancers delete kept --yes ${project}`);
  await ok(`history --deleted ${project}`);
  await ok(`loadbalancers list --tag blue ${project}`);
  for (const verb of ['show', 'status']) await ok(`loadbalancers ${verb} web ${project}`);
  await ok(`loadbalancers decisions web --all --limit 3 ${project}`);
  await ok(`loadbalancers update web --preview --off ${project}`);
  await ok(`loadbalancers update web --off ${project}`);
  await ok(
    `loadbalancers update web --on --nodes 1 --node-connections 4000 --node-threads 2 --description shop --tag blue ${project} ${wait}`,
  );
  await ok(`loadbalancers failover web ${project} ${wait}`);
  const policy =
    '--target 60 --tolerance 5 --requests-per-node 100 --decide-every 15 --warm-up 30 --cooldown 60 --down-window 300 --schedule mon-fri@08:00-18:00=1..2 --time-zone Europe/Berlin';
  await ok(`loadbalancers autoscale web ${policy} --signal load --only-decide ${project} ${wait}`);
  await ok(`loadbalancers autoscale web --signal COLLECTD --collectd-value cpu/percent-active --preview ${project}`);
  await ok(`loadbalancers autoscale web --off ${project}`);

  const web = `--loadbalancer web ${project}`;
  for (const protocol of ['http', 'HTTP2', 'TCP'])
    await ok(
      `pools create ${protocol} ${web} --protocol ${protocol} --algorithm ${{ http: 'ROUND_ROBIN', HTTP2: 'least_connections', TCP: 'SOURCE_IP' }[protocol]}`,
    );
  await ok(`pools create second ${web} --member ${system.member} --check tcp ${wait}`);
  await ok(`pools list ${web}`);
  await ok(`pools delete TCP ${web} --preview`);
  await ok(`pools delete TCP ${web} ${wait}`);

  const pool = `--pool web/second ${project}`;
  await ok(`members create 127.0.0.1:9 ${pool} --weight 5 --backup --preview`);
  await ok(`members create 127.0.0.1:9 ${pool} --weight 5 --backup ${wait}`);
  await ok(`members list ${pool}`);
  await ok(`members update 127.0.0.1:9 ${pool} --off --preview`);
  await ok(`members update 127.0.0.1:9 ${pool} --off`);
  await ok(`members update 127.0.0.1:9 ${pool} --on --weight 7 ${wait}`);
  await ok(`members drain 127.0.0.1:9 ${pool} --deadline 60 --preview`);
  await ok(`members drain 127.0.0.1:9 ${pool} --deadline 60`);
  await ok(`members drain 127.0.0.1:9 ${pool} --end`);
  for (const period of periods) await ok(`members traffic 127.0.0.1:9 ${pool} --period ${period} --periods 3`);
  await ok(`members delete 127.0.0.1:9 ${pool} --preview`);
  await ok(`members delete 127.0.0.1:9 ${pool} ${wait}`);

  const allow = '--allow-from 127.0.0.0/8 --connection-limit 100';
  await ok(`listeners create 8081 ${web} --protocol http --default-pool default ${allow} --preview`);
  await ok(`listeners create 8081 ${web} --protocol HTTP --default-pool default ${allow} ${wait}`);
  await ok(`listeners create 8082 ${web} --protocol TCP`);
  await ok(`listeners create 8083 ${web} --protocol HTTPS`);
  await ok(`listeners create 8084 ${web} --protocol TERMINATED_HTTPS --tls-certificate ${certificate}`);
  await ok(`listeners list ${web}`);
  await ok(`listeners update 8084 ${web} --tls-certificate ${certificate} --default-pool second ${allow} --preview`);
  await ok(`listeners update 8084 ${web} --tls-certificate ${certificate} --default-pool second ${allow} ${wait}`);
  for (const period of periods) await ok(`listeners traffic 8081 ${web} --period ${period} --periods 3`);
  for (const port of [8082, 8083]) await ok(`listeners delete ${port} ${web}`);

  const listener = `${web} --listener 8081`;
  const actions = {
    REJECT: '',
    redirect_to_pool: ' --redirect-pool second',
    REDIRECT_TO_URL: ' --redirect-url https://web.test/ --redirect-code 301',
    REDIRECT_PREFIX: ' --redirect-prefix https://web.test',
  };
  for (const [action, to] of Object.entries(actions)) {
    await ok(`l7policies create ${action} ${listener} --action ${action} --position 1${to} --preview`);
    await ok(`l7policies create ${action} ${listener} --action ${action} --position 1${to}`);
  }
  for (const [action, to] of Object.entries(actions))
    await ok(`l7policies update REJECT ${listener} --action ${action} --position 1${to} --off`);
  // Each of them has its own target, so that the next one is not affected.
  await ok(`l7policies update REJECT ${listener} --action REJECT --on --preview`);
  await ok(`l7policies update REJECT ${listener} --on ${wait}`);
  await ok(`l7policies create last ${listener} --action REJECT ${wait}`);
  await ok(`l7policies list ${listener}`);
  await ok(`l7policies delete last ${listener} --preview`);
  await ok(`l7policies delete last ${listener} ${wait}`);

  const tls = `${web} --listener 8084`;
  for (const [at, of] of [
    [listener, 'REJECT'],
    [tls, 'inner'],
  ] as const) {
    if (of === 'inner') await ok(`l7policies create inner ${at} --action REJECT`);
    const place = `${at} --policy ${of}`;
    const rules =
      of === 'inner'
        ? ['SSL_CONN_HAS_CERT equal_to True', 'SSL_VERIFY_RESULT EQUAL_TO 1', 'SSL_DN_FIELD EQUAL_TO shop --key CN']
        : [
            ...['host_name EQUAL_TO web.test --invert', 'PATH STARTS_WITH /x', 'FILE_TYPE EQUAL_TO jpg'],
            ...['HEADER contains x --key X-Shop', 'COOKIE REGEX ^x --key shop', 'PATH ENDS_WITH x'],
          ];
    for (const rule of rules) {
      const [type, compare, value, ...more] = rule.split(' ');
      const given = `--type ${type} --compare ${compare} --value ${value} ${more.join(' ')}`.trim();
      await ok(`l7rules create ${place} ${given} --preview`);
      const id = idOf(await ok(`l7rules create ${place} ${given} --json`));
      await ok(`l7rules update ${id} ${given.replace(' --invert', '')}`);
      if (rule.startsWith('HEADER')) await ok(`l7rules update ${id} --type PATH`);
      if (rule !== rules[0]) continue;
      await ok(`l7rules update ${id} --off --preview`);
      await ok(`l7rules update ${id} --off`);
      await ok(`l7rules update ${id} --on ${wait}`);
      await ok(`l7rules list ${place}`);
      await ok(`l7rules delete ${id} --preview`);
      await ok(`l7rules delete ${id} ${wait}`);
    }
    await ok(`l7rules create ${place} --type PATH --compare EQUAL_TO --value /y ${wait}`);
  }
  await ok(`listeners delete 8084 ${web} --preview`);
  await ok(`listeners delete 8084 ${web} ${wait}`);

  await ok(`quotas list ${project}`);
  await ok(`quotas update nodes --quota 100 ${project} ${wait}`);
  await ok(`quotas update NODES --default ${project}`);
  const nodes = JSON.parse(await ok(`nodes list ${web} --json`)) as readonly {
    readonly name: string;
    readonly nodeState: string;
  }[];
  const node = nodes.find(({ nodeState }) => nodeState === 'SERVING')?.name;
  await ok(`nodes show ${node} ${web}`);
  for (const period of periods) {
    await ok(`nodes traffic ${node} ${web} --period ${period} --periods 3`);
    await ok(`loadbalancers traffic web --period ${period} --periods 3 ${project}`);
  }
  await ok(`nodes replace ${node} ${web} ${wait}`);
  await applyCases(run);
  await ok(`hosts cordon host-1 --evacuate`);
  await ok(`hosts release host-1`);
  await ok(`loadbalancers delete web ${project} --preview`);
  await ok(`loadbalancers delete web --yes ${project} ${wait}`);
  for (const name of ['web', 'spare']) await ok(`certificates delete ${name} ${project} ${wait}`);
  await ok(`subnets delete inside ${project} ${wait}`);
  await ok(`hosts set host-1 ${networks} --provider netns --health-port ${healthPort}`);
  await ok(`hosts set host-1 --provider loopback`);
  await host.stop();
  await ok(`hosts delete host-1 ${wait}`);
}

async function applyCases({ system, ok }: FlagRun): Promise<void> {
  await writeFile(
    system.path('web.yaml'),
    `kind: LoadBalancer\nname: web\ndescription: applied\nminNodes: 1\nmaxNodes: 1\npools:\n  - { name: default, memberProtocol: HTTP, members: [{ host: 127.0.0.1, port: ${system.member.split(':')[1]} }] }\n  - { name: second, memberProtocol: HTTP }\nlisteners:\n  - { protocol: HTTP, port: 8080, defaultPool: default }\n`,
  );
  const file = `--file ${system.path('web.yaml')} ${project}`;
  await ok(`apply ${file} --dry-run`);
  await ok(`apply ${file} --dry-run --recursive --secret-env WEB_KEY --secret-folder .`);
  await ok(`apply ${file} --preview --renew-credentials`);
  for (const where of ['client', 'server']) await ok(`apply ${file} --dry-run ${where}`);
  await ok(`apply ${file} --prune --source sweep --yes ${wait}`);
}

/** An expiring certificate causes an alert. */
async function alertCases({ system, ok }: FlagRun): Promise<void> {
  const short = await makeCertificate({ commonName: 'short.test', notAfter: new Date(Date.now() + 86_400_000) });
  await writeFile(system.path('short.pem'), short.cert);
  await writeFile(system.path('short.key'), short.key, { mode: 0o600 });
  await ok(
    `certificates create short --chain-file ${system.path('short.pem')} --key-file ${system.path('short.key')} ${project}`,
  );
  await system.make('alertRuleCreate', { name: 'short', condition: 'CERTIFICATE_EXPIRES' }, system.token, 'alertRule');
  const list = async (words: string) => {
    const printed = await ok(`alerts list ${words} --json`);
    return JSON.parse(printed) as readonly { readonly id: string }[];
  };
  await waitFor('the alert', async () => (await list(`${project} --limit 5`)).length > 0);
  const [{ id } = { id: '' }] = await list('--state firing --state ACKNOWLEDGED --state resolved');
  await ok(`alerts acknowledge ${id} --json`);
  await ok(`alerts end ${id} --json`);
  expect(await list('--resolved')).toHaveLength(1);
}

async function historyCases({ ok }: FlagRun): Promise<void> {
  const changes = JSON.parse(await ok(`history kept --limit 5 --before 2100-01-01 ${project} --json`)) as readonly {
    readonly id: string;
  }[];
  await ok(`compare kept --since 2026-01-01 ${project}`);
  await ok(`compare kept --since 2026-01-01 ${project} --json`);
  const newest = changes[0]?.id;
  for (const way of ['client', 'server']) await ok(`undo ${newest} --dry-run=${way} --json`);
  await ok(`undo ${newest} --wait 30`);
  await ok(`undo ${newest} --restore --dry-run=server`);
}
