// The object storage subgraph on a real database. It takes requests as the gateway sends them.
import type { GraphQLSchema } from 'graphql';
import type { Identity } from '../../../../platform/caller/identity.ts';
import { readSubgraphSdl } from '../../../../platform/graph/sdl.ts';
import type { SubgraphContext } from '../../../../platform/process/subgraph-row.ts';
import { ClusterLinks } from '../../../../subgraphs/object-storage/control/controllers/cluster-links.ts';
import { createObjectStorageSubgraph } from '../../../../subgraphs/object-storage/object-storage.ts';
import { type TestDatabase, testDatabase } from '../../../support/stores/database.ts';
import { type Input, identity, type Mutated, madeBy, SubgraphGraph } from '../../support/subgraph-graph.ts';

export { type Input, identity, projectA, projectB } from '../../support/subgraph-graph.ts';

export class ControlGraph extends SubgraphGraph {
  readonly schema: GraphQLSchema;
  readonly admin = identity('ADMIN');

  private constructor(place: TestDatabase) {
    super(place);
    const { subgraph } = createObjectStorageSubgraph({
      ...(this as unknown as SubgraphContext),
      sdl: readSubgraphSdl('object-storage'),
      sealer: async () => this.sealer,
      region: 'us-east-1',
      revokedMemories: () => [],
      links: new ClusterLinks({ db: this.db, wake: this.wake, log: this.log, owner: this.owner }),
    });
    this.schema = subgraph.schema;
  }

  static async open(): Promise<ControlGraph> {
    return new ControlGraph(await testDatabase()).start();
  }

  /** Throws on top-level errors. */
  ask<Data>(text: string, variables: Input = {}, who: Identity | null = this.admin): Promise<Data> {
    return this.answer(who, text, variables);
  }

  /**
   * The faults of a mutation as `CODE path`. `entity`: the selected fields; only the ID remains of a deleted object.
   */
  mutate(mutation: string, input: Input, entity = '{ id version }', who: Identity = this.admin): Promise<Mutated> {
    const field = mutation.replace(/(Create|Update|Delete|DeleteCancel)$/, '');
    const isDeletion = mutation.endsWith('Delete');
    const shown = isDeletion && field !== 'objectOption' ? '' : `entity: ${field} ${entity}`;
    return this.send(who, mutation, input, `${shown} ${isDeletion ? 'deletedId' : ''}`);
  }

  /** Runs a mutation that must succeed, and returns the ID. */
  async make(mutation: string, input: Input): Promise<string> {
    return String(madeBy(mutation, await this.mutate(mutation, input)).id);
  }
}
