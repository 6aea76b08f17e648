// `tidegate options`: the replication of objects. Administrators change options, and everybody may list them.

import { randomUUID } from 'node:crypto';
import type { ObjectOptionPreset } from '../../../generated/cli/graphql.ts';
import { graphql } from '../../../generated/cli/index.ts';
import { CommandFailure } from '../../failures.ts';
import { idNamed } from '../../find.ts';
import type { GraphClient } from '../../graph-client.ts';
import { kindVerb } from '../../kinds/kind-noun.ts';
import { chosenFrom, flag, integer, one, several, text, type Values } from '../../option.ts';
import { readPages } from '../../pages.ts';
import { commonOptions, remoteVerb } from '../../remote-verb.ts';
import { changeVerb, listVerb } from '../../row-verbs.ts';
import type { Noun } from '../../verb.ts';
import { patienceOf } from '../../wait.ts';

const listDocument = graphql(`
  query OptionsList($first: Int, $after: String) {
    objectOptions(first: $first, after: $after) {
      nodes { id number name replicas nearestReads default ending endingReason clusters { name } ring { epoch replicas } }
      pageInfo { hasNextPage endCursor }
    }
  }
`);
const createDocument = graphql(`
  mutation OptionsCreate($input: ObjectOptionCreateInput!) {
    objectOptionCreate(input: $input) {
      objectOption { id number name replicas default } commit { token } userErrors { code message field }
    }
  }
`);
const updateDocument = graphql(`
  mutation OptionsUpdate($input: ObjectOptionUpdateInput!) {
    objectOptionUpdate(input: $input) {
      objectOption { id number name replicas default } commit { token } userErrors { code message field }
    }
  }
`);
const deleteDocument = graphql(`
  mutation OptionsDelete($input: ObjectOptionDeleteInput!) {
    objectOptionDelete(input: $input) { objectOption { ending } commit { token } userErrors { code message field } }
  }
`);
const keepDocument = graphql(`
  mutation OptionsKeep($input: ObjectOptionDeleteCancelInput!) {
    objectOptionDeleteCancel(input: $input) {
      objectOption { id number name replicas default } commit { token } userErrors { code message field }
    }
  }
`);

const endDocument = graphql(`
  query OptionsEnd($id: ID!) { objectOption(id: $id) { ending endingReason } }
`);

const presets = ['optimize_big', 'economy_big', 'optimize_small', 'economy_small'] as const;
const presetOf: Readonly<Record<(typeof presets)[number], ObjectOptionPreset>> = {
  ...{ optimize_big: 'OPTIMIZE_BIG' as const, economy_big: 'ECONOMY_BIG' as const },
  ...{ optimize_small: 'OPTIMIZE_SMALL' as const, economy_small: 'ECONOMY_SMALL' as const },
};

const wishes = {
  replicas: integer('N', 'Replicas of each object, 1 to 7.', { least: 1, most: 7 }),
  cluster: several('CLUSTER', 'A cluster that holds its objects; default: all.'),
  'nearest-reads': flag('A reader may ask for the answer of the nearest cluster alone, which may be old.'),
  'as-default': flag('Containers have it that name no other.'),
};

/** Options that were not given are undefined and not sent. */
async function wished(client: GraphClient, options: Values<typeof wishes>) {
  const { replicas, cluster } = options;
  const clusterIds: string[] = [];
  for (const name of cluster) clusterIds.push(await idNamed(client, 'clusters', name));
  return {
    replicas,
    clusterIds: cluster.length === 0 ? undefined : clusterIds,
    nearestReads: options['nearest-reads'] || undefined,
    default: options['as-default'] || undefined,
  };
}

interface End {
  readonly ending: boolean;
  readonly endingReason: string | null;
}

function endOf({ ending, endingReason }: End): string {
  if (ending) return `; is being deleted: ${endingReason ?? ''}`;
  return endingReason === null ? '' : `; was not deleted: ${endingReason}`;
}

const list = listVerb({
  summary: 'List options of object storage.',
  options: {},
  read: ({ client }) => readPages(client, listDocument, {}, ({ objectOptions }) => objectOptions),
  columns: {
    OPTION: 'name',
    NUMBER: 'number',
    REPLICAS: 'replicas',
    DEFAULT: ({ default: isDefault }) => (isDefault ? 'default' : '-'),
    READS: ({ nearestReads }) => (nearestReads ? 'nearest' : 'newest'),
    CLUSTERS: ({ clusters }) => clusters && (clusters.map(({ name }) => name).join(' ') || 'all'),
    RING: ({ ring, ...end }) =>
      `${ring === null ? '-' : `epoch ${ring.epoch}, ${ring.replicas} replicas`}${endOf(end)}`,
  },
});

const create = changeVerb({
  summary: 'Create an option, with a ring of its own.',
  takes: ['NAME'],
  options: {
    ...wishes,
    preset: one(
      'PRESET',
      `The faster or larger half of the clusters, as measured by "clusters measure": ${presets.join(', ')}.`,
      chosenFrom(presets),
    ),
    wait: commonOptions.wait,
  },
  document: createDocument,
  async input({ client, names, options }) {
    const preset = options.preset && presetOf[options.preset];
    return { name: names[0], preset, ...(await wished(client, options)) };
  },
  says({ objectOption }) {
    if (objectOption === null) throw new CommandFailure('the server gave no option');
    return `${objectOption.name} has ring ${objectOption.number}`;
  },
});

const update = changeVerb({
  summary: 'Change an option; given clusters replace its present ones.',
  takes: ['NAME'],
  options: { ...wishes, rename: text('NAME', 'Its new name.'), wait: commonOptions.wait },
  document: updateDocument,
  async input({ client, names, options }) {
    const id = await idNamed(client, 'options', names[0]);
    return { id, ...(await wished(client, options)), name: options.rename };
  },
  says: (_, { names, options }) => `${options.rename ?? names[0]} is changed`,
});

const keep = changeVerb({
  summary: 'Cancel the deletion of an option, so that it may be used again.',
  takes: ['NAME'],
  options: { wait: commonOptions.wait },
  document: keepDocument,
  input: async ({ client, names }) => ({ id: await idNamed(client, 'options', names[0]) }),
  says: (_, { names }) => `${names[0]} is kept`,
});

const remove = remoteVerb({
  summary:
    'Delete an option. If clusters may hold objects of it, all of them must confirm first; --wait waits for that.',
  takes: ['NAME'],
  options: { wait: commonOptions.wait },
  async run({ client, signal, names, options, printer }) {
    const id = await idNamed(client, 'options', names[0]);
    const { objectOption, commit } = await client.mutate(deleteDocument, { idempotencyKey: randomUUID(), id });
    const patience = patienceOf({ client, signal, options });
    await patience?.untilReplicated(commit);
    let isEnding = objectOption?.ending === true;
    if (isEnding && patience !== undefined) {
      const left = await patience.until(
        async () => (await client.query(endDocument, { id })).objectOption,
        (seen) => seen?.ending !== true,
        (seen) => `${names[0]} is not deleted yet: ${seen?.endingReason ?? ''}`,
      );
      if (left !== null) throw new CommandFailure(`${names[0]} is not deleted: ${left.endingReason ?? 'it was kept'}`);
      isEnding = false;
    }
    if (options.json) await printer.json({ id, deleted: !isEnding });
    else if (isEnding) await printer.line(`${names[0]} is being deleted: see "options list" for its progress`);
    else await printer.line(`${names[0]} is deleted`);
  },
});

export const storageOptions: Noun = {
  ...{ list, show: kindVerb('ObjectOption', 'show'), create, update, keep, delete: remove },
};
