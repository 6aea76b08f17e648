// Every option of the commands for GSLBs, zones and machines. No checkers and name servers run.
import { freePort } from '../../../support/machine/free-port.ts';
import { waitFor } from '../../../support/machine/temporary-folder.ts';
import type { FlagRun } from './flag-run.ts';

const wait = '--wait 30';
const until = `--until ${new Date(Date.now() + 86_400_000).toISOString()} --reason repair`;

export async function gslbCases({ system, ok, coverage, env }: FlagRun): Promise<void> {
  const token = env.TIDEGATE_TOKEN ?? '';
  const { projects } = await system.ask<{ projects: { nodes: { id: string }[] } }>(
    '{ projects { nodes { id } } }',
    {},
    token,
  );
  const projectId = projects.nodes[0]?.id ?? '';
  const make = (mutation: string, input: object) => system.make(mutation, input, token);
  await make('dnsZoneCreate', { name: 'gslb.test', rights: [{ suffix: 'gslb.test', allows: ['OUTSIDE_PROJECT'] }] });
  for (const name of ['eu', 'us'])
    await make('gslbVantagePointCreate', { name, region: name, latitude: 50, longitude: 8 });
  const flavorId = await make('gslbFlavorCreate', { name: 'usual' });
  const poolId = await make('gslbPoolCreate', { projectId, name: 'shop' });
  await make('gslbPoolMemberCreate', { poolId, name: 'site-1', addresses: ['203.0.113.1'], servicePort: 80 });
  await make('gslbCreate', { projectId, fqdn: 'shop.gslb.test', flavorId, poolIds: [poolId] });

  const name = 'shop.gslb.test';
  for (let times = 0; times < 2; times += 1) {
    await ok('gslbs list --project default');
    await ok(`gslbs show ${name}`);
  }
  for (const state of ['up', 'DOWN', 'DRAIN']) await ok(`gslbs force ${name} site-1 --state ${state} ${until} ${wait}`);
  await ok(`gslbs force ${name} site-1 --state auto`);
  await ok(`gslbs freeze ${name} ${until} ${wait}`);
  await ok(`gslbs freeze ${name} --release`);
  await ok(`gslbs history ${name} site-1 --limit 3`);
  await waitFor('an answer', async () => (await ok(`gslbs explain ${name} --record A`)) !== '');
  const now = new Date().toISOString();
  for (const record of ['a', 'AAAA', 'CNAME'])
    await ok(`gslbs explain ${name} --client 192.0.2.0/24 --record ${record} --at ${now}`);

  await ok('zones list');
  const keys = async () =>
    JSON.parse(await ok('zones show gslb.test --json')) as { readonly keys?: readonly { keyTag: number }[] };
  await waitFor('the keys', async () => ((await keys()).keys ?? []).length > 0);
  await ok('zones roll-key gslb.test');
  await ok('zones roll-key gslb.test --cancel');
  const [{ keyTag } = { keyTag: 0 }] = (await keys()).keys ?? [];
  await ok(`zones roll-key gslb.test --confirm ${keyTag}`);

  const record = (subnet: number) =>
    `--public-range 198.51.${subnet}.0/24 --management-range 10.9.${subnet}.0/24 --nodes 5 --site east --health-port 8399 --released`;
  for (const [index, provider] of ['netns', 'LOOPBACK'].entries())
    await ok(
      `machines create host-${provider.toLowerCase()} --role lbhost ${record(index + 1)} --provider ${provider} ${wait}`,
    );
  await ok('machines create eu-1 --role checker --vantage-point eu');
  await ok('machines create ns-1 --role dns --address 192.0.2.53 --address 192.0.2.54');
  await ok('machines create inventory-1 --role subgraph --subgraph inventory');
  await ok('machines update eu-1 --vantage-point us');
  await ok('machines update ns-1 --address 192.0.2.55 --wait 30');
  for (let times = 0; times < 2; times += 1) {
    await ok('machines list');
    await ok('machines show eu-1');
  }
  await ok('machines revoke eu-1');
  const issued = `--endpoint-ca ${system.authorityFile} --endpoint https://127.0.0.1:${await freePort()}/graphql --config ${system.config}`;
  const issue = (machine: string, role: string, more: string) =>
    coverage.succeeds(`machines issue ${machine} --role ${role} ${more} --folder ${system.machines} ${issued}`);
  await issue('eu-2', 'checker', '--vantage-point eu');
  await issue('ns-2', 'dns', '--address 192.0.2.56');
  await issue('inventory-2', 'subgraph', '--subgraph inventory');
  for (const [index, provider] of ['netns', 'loopback'].entries())
    await issue(`issued-${provider}`, 'lbhost', `${record(index + 3)} --provider ${provider}`);
}
