// `tidegate rings list` and `preview RING`.
import { graphql } from '../../../generated/cli/index.ts';
import { CommandFailure } from '../../failures.ts';
import type { GraphClient } from '../../graph-client.ts';
import { readAll, readPages } from '../../pages.ts';
import { remoteVerb } from '../../remote-verb.ts';
import { listVerb } from '../../row-verbs.ts';

const listDocument = graphql(`
  query RingsList($first: Int, $after: String) {
    objectRings(first: $first, after: $after) {
      nodes { id number epoch replicas createdAt clusters { number weight zone partitions cluster { name } } }
      pageInfo { hasNextPage endCursor }
    }
  }
`);
const optionsDocument = graphql(`
  query RingsOptions($first: Int, $after: String) {
    objectOptions(first: $first, after: $after) { nodes { id number name } pageInfo { hasNextPage endCursor } }
  }
`);
const previewDocument = graphql(`
  query RingsPreview($number: Int!) {
    objectRingChangePreview(number: $number) {
      stepCount movedPercent
      ring { number epoch replicas }
      shares { number partitionsNow partitionsThen cluster { name } }
    }
  }
`);

const coreName = 'core';

/** Names of all rings by number: the name of the ring's option, or core. */
export async function namesOfRings(client: GraphClient): Promise<ReadonlyMap<number, string>> {
  const options = await readAll(readPages(client, optionsDocument, {}, ({ objectOptions }) => objectOptions));
  return new Map([[0, coreName], ...options.map(({ number, name }) => [number, name] as const)]);
}

/** Finds a ring by its option's name, `core`, or its number. */
export async function ringNumber(client: GraphClient, given: string): Promise<number> {
  const names = await namesOfRings(client);
  const named = [...names].find(([number, name]) => name === given || String(number) === given);
  if (named !== undefined) return named[0];
  throw new CommandFailure(`there is no ring '${given}': it is core, or the name of an option (tidegate rings list)`);
}

export function allRings(client: GraphClient) {
  return readPages(client, listDocument, {}, ({ objectRings }) => objectRings);
}

export const list = listVerb({
  summary: 'List rings: which clusters hold how many of the 4096 partitions.',
  options: {},
  read: ({ client }) => allRings(client),
  async columns(_rings, { client }) {
    const names = await namesOfRings(client);
    return {
      ...{ RING: ({ number }) => names.get(number), NUMBER: 'number', EPOCH: 'epoch', REPLICAS: 'replicas' },
      PARTITIONS: ({ clusters }) =>
        clusters.map(({ cluster, number: each, partitions }) => `${cluster?.name ?? each}:${partitions}`).join(' '),
    };
  },
});

export const preview = remoteVerb({
  summary: 'Show what a change of a ring would move.',
  takes: ['RING'],
  options: {},
  async run({ client, names, options, printer }) {
    const number = await ringNumber(client, names[0]);
    const { objectRingChangePreview: seen } = await client.query(previewDocument, { number });
    if (seen === null) throw new CommandFailure(`there is no ring ${number}`);
    if (options.json) return printer.json(seen);
    if (seen.stepCount === 0) return printer.line(`ring ${names[0]} is as wanted: nothing would move`);
    await printer.line(
      `ring ${names[0]}: ${seen.stepCount} ${seen.stepCount === 1 ? 'step' : 'steps'}, ${percent(seen.movedPercent)} of the replicas move`,
    );
    const rows = seen.shares.map(({ cluster, number: each, partitionsNow, partitionsThen }) => [
      ...[cluster?.name ?? String(each), String(partitionsNow), String(partitionsThen)],
    ]);
    return printer.table(['CLUSTER', 'PARTITIONS NOW', 'THEN'], rows);
  },
});

function percent(share: number): string {
  return `${share.toFixed(1)} %`;
}
