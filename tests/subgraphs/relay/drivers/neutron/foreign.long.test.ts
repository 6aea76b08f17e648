// Foreign objects in a real Neutron stay untouched (../../support/foreign-objects.ts).
import { afterAll, beforeAll } from '@jest/globals';
import type { JsonObject } from '../../../../../subgraphs/relay/drivers/driver.ts';
import { neutron } from '../../../../../subgraphs/relay/drivers/neutron/driver.ts';
import { describeWithNeutron } from '../../../../support/servers/neutron.ts';
import { type ForeignCase, foreignObjects } from '../../support/foreign-objects.ts';
import { type NeutronCaller, neutronCaller } from './support.ts';

describeWithNeutron('neutron', (lab) => {
  let project: NeutronCaller;
  const ids = { network: '', port: '', second: '', group: '', pairs: '', chains: ['', ''] };

  beforeAll(async () => {
    project = neutronCaller(lab(), lab().accounts.alpha);
    const made = async (operation: string, args: JsonObject) => (await project.done(operation, args)).id;
    const network = await made('network.create', { name: 'ground' });
    const port = (name: string) => made('port.create', { network, name, device: 'machine-1' });
    const group = (name: string) => made('portPairGroup.create', { name });
    const chain = async (name: string) => made('portChain.create', { name, portPairGroups: [await group(name)] });
    Object.assign(ids, { network, port: await port('one'), second: await port('two') });
    Object.assign(ids, { group: await made('securityGroup.create', { name: 'ground' }), pairs: await group('pairs') });
    ids.chains = [await chain('from'), await chain('to')];
  });
  afterAll(() => project.stop());

  async function byHand(method: 'GET' | 'POST' | 'DELETE', path: string, body?: JsonObject): Promise<JsonObject> {
    const reply = await project.ask({ kind: 'http', method, path, ...(body && { body }) });
    if (reply.kind !== 'http' || reply.status >= 300) throw new Error(JSON.stringify(reply));
    return reply.body === '' ? {} : (JSON.parse(reply.body) as JsonObject);
  }

  /** `args`: arguments of the call, and those by which later calls name the object. */
  function foreign(
    prefix: string,
    args: () => JsonObject,
    change?: JsonObject,
    more: Partial<ForeignCase> = { several: true },
  ): ForeignCase {
    const create = () => [`${prefix}.create`, args()] as const;
    const sent = () => {
      const call = project.render(...create());
      if (call.kind !== 'http') throw new Error('not by HTTP');
      return { path: call.path, body: call.body as Readonly<Record<string, JsonObject>> };
    };
    const state = async () => Object.values(await byHand('GET', sent().path))[0] as unknown as { id: string }[];
    let ground: ReadonlySet<string> | undefined;
    const naming = (): JsonObject =>
      Object.fromEntries(Object.entries(args()).filter(([name]) => name === 'name' || name === 'network'));
    return {
      create,
      updates:
        change === undefined ? {} : { [`${prefix}.update`]: ({ uuid }) => ({ id: uuid, ...naming(), ...change }) },
      async put(what) {
        const all = await state();
        ground ??= new Set(all.map(({ id }) => id));
        const { path, body } = sent();
        for (const { id } of all) if (!ground.has(id)) await byHand('DELETE', `${path}/${id}`);
        const [[member, values] = ['', {}]] = Object.entries(body);
        // Objects without a name have it in the description.
        const description = values.name === undefined ? String(args().name ?? '') : 'ADMINISTRATOR';
        if (what === 'another') await byHand('POST', path, { [member]: { ...values, description } });
      },
      state,
      ...more,
    };
  }

  const described = { description: 'changed' };
  const name = 'ours';
  // The objects that it consists of.
  const [taken, used] = [{ refusal: 'DEVICE_REFUSED' }, { refusal: 'IN_USE' }];
  foreignObjects(neutron, () => project, {
    network: foreign('network', () => ({ name }), described),
    subnet: foreign('subnet', () => ({ network: ids.network, name, cidr: '10.2.0.0/24' }), described, taken),
    port: foreign('port', () => ({ network: ids.network, name }), described),
    router: foreign('router', () => ({ name }), described),
    'security-group': foreign('securityGroup', () => ({ name }), described),
    'security-group-rule': foreign(
      'securityGroupRule',
      () => ({ securityGroup: ids.group, direction: 'ingress', protocol: 'tcp', firstPort: 22 }),
      undefined,
      {},
    ),
    'floating-ip': foreign('floatingIp', () => ({ network: lab().externalNetworkId, name }), { port: null }),
    'port-pair': foreign('portPair', () => ({ name, ingress: ids.port, egress: ids.second }), described, taken),
    'port-pair-group': foreign('portPairGroup', () => ({ name }), described),
    'flow-classifier': foreign('flowClassifier', () => ({ name, logicalSourcePort: ids.port }), described, taken),
    'port-chain': foreign('portChain', () => ({ name, portPairGroups: [ids.pairs] }), described, used),
    'service-graph': foreign(
      'serviceGraph',
      () => ({ name, branches: [{ from: ids.chains[0] ?? '', to: ids.chains.slice(1) }] }),
      described,
      used,
    ),
  });
});
