// `tidegate clusters add NAME`, `update NAME` and `remove NAME`.

import { randomUUID } from 'node:crypto';
import { graphql } from '../../../generated/cli/index.ts';
import { CommandFailure } from '../../failures.ts';
import { idNamed } from '../../find.ts';
import type { GraphClient } from '../../graph-client.ts';
import { chosenFrom, giving, integer, one, several, text, type Values } from '../../option.ts';
import { readAll } from '../../pages.ts';
import { commonOptions, remoteVerb } from '../../remote-verb.ts';
import { patienceOf, replicated } from '../../wait.ts';
import { startChange, untilChanged } from '../rings/change.ts';
import { allRings } from '../rings/show.ts';

const createDocument = graphql(`
  mutation ClustersAdd($input: ObjectClusterCreateInput!) {
    objectClusterCreate(input: $input) {
      objectCluster { id number name zone weight } commit { token } userErrors { code message field }
    }
  }
`);
const stateDocument = graphql(`
  query ClustersState($id: ID!) { objectCluster(id: $id) { number clusterState } }
`);
const machineDocument = graphql(`
  mutation ClustersInvite($input: MachineCreateInput!) {
    machineCreate(input: $input) { joinToken joinTokenExpiresAt commit { token } userErrors { code message field } }
  }
`);
const updateDocument = graphql(`
  mutation ClustersUpdate($input: ObjectClusterUpdateInput!) {
    objectClusterUpdate(input: $input) {
      objectCluster { id number name zone weight clusterState } commit { token } userErrors { code message field }
    }
  }
`);
const deleteDocument = graphql(`
  mutation ClustersRemove($input: ObjectClusterDeleteInput!) {
    objectClusterDelete(input: $input) { commit { token } userErrors { code message field } }
  }
`);

const controllerRole = 'objectcontroller';
const states = ['ACTIVE', 'DRAINING'] as const;

const wishes = {
  zone: text('ZONE', 'Failure zone, such as a building.'),
  weight: integer('N', "Its share of the replicas, against the others' weights, 1 to 1000000.", {
    least: 1,
    most: 1_000_000,
  }),
  site: text('SITE', 'Where it is, for people.'),
  'peer-url': several('URL', 'Where other clusters reach its servers: https://HOST:PORT.'),
  'controller-url': several('URL', 'Where other clusters reach its controllers: https://HOST:PORT.'),
  's3-url': several('URL', 'Where users reach it: https://HOST:PORT or http://HOST:PORT.'),
};

/** Options that were not given are undefined and not sent. */
function wished({ zone, weight, site, ...urls }: Values<typeof wishes>) {
  return {
    ...{ zone, weight, site },
    peerUrls: someOf(urls['peer-url']),
    controllerUrls: someOf(urls['controller-url']),
    s3Urls: someOf(urls['s3-url']),
  };
}

function someOf(given: readonly string[]): readonly string[] | undefined {
  return given.length === 0 ? undefined : given;
}

export const add = remoteVerb({
  summary: 'Add a cluster, and print the token with which its first controller joins.',
  takes: ['NAME'],
  options: { ...wishes, wait: commonOptions.wait },
  async run({ client, signal, names, options, printer, stderr }) {
    const [name] = names;
    const input = { idempotencyKey: randomUUID(), name, ...wished(options) };
    const { objectCluster, commit } = await client.mutate(createDocument, input);
    if (objectCluster === null) throw new CommandFailure('the server gave no cluster');
    // Without a key, because a repetition would not show the token again.
    const invited = await client
      .mutate(machineDocument, { name, machineRole: 'OBJECTCONTROLLER' })
      .catch((error: unknown) => {
        const why = error instanceof Error ? error.message : String(error);
        throw new CommandFailure(
          `the cluster ${name} is added, but no token was made: ${why}\nmake one with: tidegate machines create ${name}-1 --role ${controllerRole}`,
        );
      });
    const patience = patienceOf({ client, signal, options });
    await patience?.untilReplicated(commit);
    await patience?.untilReplicated(invited.commit);
    const { joinToken, joinTokenExpiresAt } = invited;
    if (options.json) return printer.json({ ...objectCluster, joinToken, joinTokenExpiresAt });
    await printer.line(joinToken ?? '');
    stderr.write(
      `tidegate: ${name} is cluster ${objectCluster.number}. On the host of its controller, until ${joinTokenExpiresAt}: tidegate join TOKEN --folder DIR --url URL\nOnce its services run, it takes over its share: tidegate rings change\n`,
    );
  },
});

export const update = remoteVerb({
  summary: 'Change a cluster; addresses that are given replace all of their kind.',
  takes: ['NAME'],
  options: {
    ...wishes,
    rename: text('NAME', 'Its new name.'),
    state: giving(['clusterState'], one('STATE', 'ACTIVE, or DRAINING: it leaves all rings.', chosenFrom(states))),
    wait: commonOptions.wait,
  },
  async run({ client, signal, names, options, printer }) {
    const id = await idNamed(client, 'clusters', names[0]);
    const { rename, state } = options;
    const input = { idempotencyKey: randomUUID(), id, ...wished(options), name: rename, clusterState: state };
    const { objectCluster, commit } = await client.mutate(updateDocument, input);
    await replicated({ client, signal, options }, commit);
    if (options.json) await printer.json(objectCluster);
    else await printer.line(`${rename ?? names[0]} is changed`);
  },
});

export const remove = remoteVerb({
  summary:
    'Remove a cluster. Where it still holds something, that is moved to the others first: with --wait until it is.',
  takes: ['NAME'],
  options: { wait: commonOptions.wait },
  async run({ client, signal, names, options, printer }) {
    const id = await idNamed(client, 'clusters', names[0]);
    const { objectCluster: cluster } = await client.query(stateDocument, { id });
    if (cluster === null) throw new CommandFailure(`there is no cluster '${names[0]}'`);
    const { number } = cluster;
    const patience = patienceOf({ client, signal, options });
    if ((await ringsHeldBy(client, number)).length > 0 && cluster.clusterState === 'ACTIVE')
      await client.mutate(updateDocument, { idempotencyKey: randomUUID(), id, clusterState: 'DRAINING' });
    // While nothing is stored, the rings follow at once.
    const started = [];
    for (const ring of await ringsHeldBy(client, number)) started.push(await startChange(client, ring.number));
    if (started.length > 0 && patience === undefined) {
      if (options.json) return printer.json({ id, deleted: false });
      return printer.line(
        `${names[0]} is being emptied: tidegate rings changes; when that is done, remove it again (--wait waits for it)`,
      );
    }
    if (patience !== undefined) await untilChanged(client, started, patience);
    const { commit } = await client.mutate(deleteDocument, { idempotencyKey: randomUUID(), id });
    await patience?.untilReplicated(commit);
    if (options.json) return printer.json({ id, deleted: true });
    return printer.line(
      `${names[0]} is removed. Its machines may not connect again; revoke them: tidegate machines revoke NAME`,
    );
  },
});

/** Rings in which a cluster has partitions. */
async function ringsHeldBy(client: GraphClient, number: number) {
  return (await readAll(allRings(client))).filter(({ clusters }) =>
    clusters.some((member) => member.number === number && member.partitions > 0),
  );
}
