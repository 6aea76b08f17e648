// The containers of CMP objects. A cluster is asked which of them exist, in requests within its size limit.
import { expect, test } from '@jest/globals';
import type { RequestContext } from '../../../../platform/caller/identity.ts';
import { newUuid } from '../../../../platform/values/ids.ts';
import { ContainerReads } from '../../../../subgraphs/object-storage/control/containers/container-reads.ts';
import type { ClusterQuestions } from '../../../../subgraphs/object-storage/control/questions/cluster-questions.ts';
import { containerId, recordContainer } from '../../../../subgraphs/object-storage/control/stores/container-store.ts';
import { clusterQuestion } from '../../../../subgraphs/object-storage/wire/cluster-questions.ts';
import { ControlGraph, identity, projectA } from '../support/control-graph.ts';

test('containers that were deleted at a cluster are left out, however many are read at once', async () => {
  const graph = await ControlGraph.open();
  await using _ = { [Symbol.asyncDispose]: () => graph.stop() };
  const accountId = newUuid();
  const made = Array.from({ length: 3 * 60 }, (_, index) => ({
    ...{ id: newUuid(), projectId: projectA, accountId, name: `films-${index}`, optionName: 'standard' },
    createdAt: new Date(),
  }));
  await graph.db.transaction(async (tx) => {
    for (const [index, row] of made.entries())
      await recordContainer(tx, row, { namespace: 'default', type: 'tenant', externalId: String(index % 3) });
  });
  const isThere = (name: string) => Number(name.split('-')[1]) % 2 === 0;
  const clusters: Pick<ClusterQuestions, 'ask'> = {
    async ask(question) {
      const asked = clusterQuestion.parse(question);
      const names = asked.ask === 'containersNamed' ? asked.names : [];
      const containers = made
        .filter(({ name }) => names.includes(name) && isThere(name))
        .map(({ id, name }) => ({ id: containerId(id), name, option: 'standard', createdAtMs: 1 }));
      return { containers, objects: [] };
    },
  };
  const reads = new ContainerReads(graph.db, clusters as ClusterQuestions);
  const context = {
    identity: identity('OPERATOR'),
    requestId: 'test',
    loaders: new Map(),
  } as unknown as RequestContext;
  const pages = await Promise.all(
    ['0', '1', '2'].map((externalId) =>
      reads.forCmpObject(context, { namespace: 'default', type: 'tenant', externalId }, { first: 100 }),
    ),
  );
  const names = pages.flatMap(({ nodes }) => nodes.map(({ name }) => name));
  expect(names.sort()).toEqual(
    made
      .map(({ name }) => name)
      .filter(isThere)
      .sort(),
  );
});
