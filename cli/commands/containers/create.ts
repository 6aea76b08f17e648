// `tidegate containers create NAME`: at a cluster. With --cmp, through the control plane, which records the CMP object.

import { randomUUID } from 'node:crypto';
import { graphql } from '../../../generated/cli/index.ts';
import type { ClusterLogin } from '../../cluster-login.ts';
import { clusterVerb, keptBy } from '../../cluster-verb.ts';
import { cmpObjectText, cmpOption } from '../../cmp-object.ts';
import { containerShape } from '../../container-shapes.ts';
import { CommandFailure, UsageError } from '../../failures.ts';
import { idNamed } from '../../find.ts';
import { commonOptions, connectionOptions, openClient } from '../../remote-verb.ts';
import { replicated } from '../../wait.ts';

const document = graphql(`
  mutation ContainersCreate($input: ObjectContainerCreateInput!) {
    objectContainerCreate(input: $input) {
      objectContainer { id name option { name } createdAt cmpObject { namespace type externalId } }
      commit { token }
      userErrors { code message field }
    }
  }
`);

const { data: _data, ...connection } = connectionOptions;

export const create = clusterVerb({
  summary: 'Create a container; for a CMP object, through the endpoint, with an API token.',
  takes: ['NAME'],
  options: {
    option: keptBy,
    cmp: cmpOption,
    wait: commonOptions.wait,
    ...connection,
  },
  async run({ client, login, names, options, printer, signal, env }) {
    const [name] = names;
    const { option, cmp, project } = options;
    if (cmp === undefined) {
      const query = option === undefined ? '' : `?option=${encodeURIComponent(option)}`;
      const path = `/-/create_container/${encodeURIComponent(name)}${query}`;
      const made = await client.json({ method: 'PUT', path, body: () => '' }, containerShape);
      if (options.json) return printer.json(made);
      return printer.line(`${made.name} is created, with the option ${made.option}`);
    }
    if (options.cluster !== undefined)
      throw new UsageError('with --cmp the endpoint selects the cluster: leave out --cluster');
    const graph = await openClient(options, { signal, env });
    try {
      const input = {
        name,
        projectId: projectOf(login, project),
        cmpObject: cmp,
        ...(option && { optionId: await idNamed(graph, 'options', option) }),
      };
      const { objectContainer, commit } = await graph.mutate(document, { idempotencyKey: randomUUID(), ...input });
      await replicated({ client: graph, signal, options }, commit);
      if (objectContainer === null) throw new CommandFailure('the server gave no container');
      if (options.json) return await printer.json(objectContainer);
      return await printer.line(
        `${name} is created, with the option ${objectContainer.option?.name ?? ''}, for ${cmpObjectText(cmp)}`,
      );
    } finally {
      await graph.close();
    }
  },
});

/** The id of the named project, or of the login's only one. */
function projectOf({ projects }: ClusterLogin, named: string | undefined): string {
  const found = projects.filter(({ name, id }) => named === undefined || name === named || id === named);
  const [only, another] = found;
  if (only !== undefined && another === undefined) return only.id;
  const names = projects.map(({ name }) => name).join(', ');
  throw new UsageError(
    only === undefined
      ? `--project: the login is for ${names}, not for '${named}'`
      : `the login is for several projects: name one of ${names} with --project`,
  );
}
