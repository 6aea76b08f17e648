// `tidegate clusters drain-service CLUSTER SERVICE` and `remove-service CLUSTER SERVICE`.

import { randomUUID } from 'node:crypto';
import { graphql } from '../../../generated/cli/index.ts';
import { CommandFailure, UsageError } from '../../failures.ts';
import { idNamed } from '../../find.ts';
import type { GraphClient } from '../../graph-client.ts';
import { flag, text } from '../../option.ts';
import { remoteVerb } from '../../remote-verb.ts';

const servicesDocument = graphql(`
  query ClustersServices($id: ID!) { objectCluster(id: $id) { controllers { presence services { role name } } } }
`);
const drainDocument = graphql(`
  mutation ClustersDrainService($input: ObjectServiceDrainInput!) {
    objectServiceDrain(input: $input) { commit { token } userErrors { code message field } }
  }
`);
const undrainDocument = graphql(`
  mutation ClustersUndrainService($input: ObjectServiceUndrainInput!) {
    objectServiceUndrain(input: $input) { commit { token } userErrors { code message field } }
  }
`);
const removeDocument = graphql(`
  mutation ClustersRemoveService($input: ObjectServiceRemoveInput!) {
    objectServiceRemove(input: $input) { commit { token } userErrors { code message field } }
  }
`);

const role = text('ROLE', 'Its role, if several of its cluster have the name, such as objectserver.');

export const drainService = remoteVerb({
  summary: 'Let a service of a cluster end what users have begun, and take no more from them.',
  takes: ['CLUSTER', 'SERVICE'],
  options: { role, undo: flag('It serves users again.') },
  async run({ client, names, options, printer }) {
    const service = await serviceNamed(client, names, options.role);
    const input = { idempotencyKey: randomUUID(), ...service };
    await (options.undo ? client.mutate(undrainDocument, input) : client.mutate(drainDocument, input));
    if (options.json) return printer.json({ ...service, drained: !options.undo });
    return printer.line(
      `${service.role} ${service.name} ${options.undo ? 'serves users again' : 'is drained: users are served by the others'}`,
    );
  },
});

export const removeService = remoteVerb({
  summary: 'Remove a service that has left its cluster permanently.',
  takes: ['CLUSTER', 'SERVICE'],
  options: { role },
  async run({ client, names, options, printer }) {
    const service = await serviceNamed(client, names, options.role);
    await client.mutate(removeDocument, { idempotencyKey: randomUUID(), ...service });
    if (options.json) return printer.json({ ...service, removed: true });
    return printer.line(`${service.role} ${service.name} is forgotten`);
  },
});

async function serviceNamed(
  client: GraphClient,
  [cluster, name]: readonly [string, string],
  wanted: string | undefined,
): Promise<{ readonly clusterId: string; readonly role: string; readonly name: string }> {
  const id = await idNamed(client, 'clusters', cluster);
  const { objectCluster } = await client.query(servicesDocument, { id });
  // All controllers of a cluster report the same, unless they are silent.
  const { controllers = [] } = objectCluster ?? {};
  const { services = [] } = controllers.find(({ presence }) => presence === 'PRESENT') ?? controllers[0] ?? {};
  const roles = services.filter((each) => each.name === name && (wanted === undefined || each.role === wanted));
  const [found, another] = roles;
  if (found === undefined) {
    const known = services.map((each) => `${each.role} ${each.name}`).join(', ');
    throw new CommandFailure(`${cluster} has no such service '${name}'; it has ${known || 'none that is known'}`);
  }
  if (another !== undefined)
    throw new UsageError(
      `several services are named '${name}': give --role ${roles.map((each) => each.role).join(' or ')}`,
    );
  return { clusterId: id, role: found.role, name };
}
