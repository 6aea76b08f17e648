// `tidegate containers`: containers of a project, at a cluster of object storage.
import type { z } from 'zod';
import type { ClusterClient } from '../../cluster-client.ts';
import { clusterVerb } from '../../cluster-verb.ts';
import { type containerShape, pageShape } from '../../container-shapes.ts';
import type { Noun } from '../../verb.ts';
import { create } from './create.ts';

const list = clusterVerb({
  summary: 'List containers.',
  takes: [],
  options: {},
  async run({ client, options, printer }) {
    const found = await allContainers(client);
    if (options.json) return printer.json(found);
    const rows = found.map(({ name, option, createdAt }) => [name, option, createdAt]);
    return printer.table(['CONTAINER', 'OPTION', 'CREATED'], rows);
  },
});

const remove = clusterVerb({
  summary: 'Delete a container that is empty.',
  takes: ['NAME'],
  options: {},
  async run({ client, names, options, printer }) {
    await client.done({ method: 'DELETE', path: `/-/delete_container/${encodeURIComponent(names[0])}` });
    if (options.json) await printer.json({ name: names[0], deleted: true });
    else await printer.line(`${names[0]} is deleted`);
  },
});

async function allContainers(client: ClusterClient): Promise<z.output<typeof containerShape>[]> {
  const found: z.output<typeof containerShape>[] = [];
  for (let after = ''; ; ) {
    const path = `/-/list_container?after=${encodeURIComponent(after)}`;
    const { containers, next } = await client.json({ method: 'GET', path }, pageShape);
    found.push(...containers);
    if (next === null) return found;
    after = next;
  }
}

export const containers: Noun = { list, create, delete: remove };
