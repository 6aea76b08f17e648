// The subgraph itself: one entity, one query, one mutation, one subscription.
import { buildSubgraphSchema } from '@apollo/subgraph';
import { parse } from 'graphql';
import { caller, maySee, oneProject, requireRole } from '../../platform/authorise.ts';
import { commitResolvers } from '../../platform/commits.ts';
import { appendStatus } from '../../platform/events/append.ts';
import { entityFeed } from '../../platform/events/entity-feed.ts';
import type { Subgraph } from '../../platform/graph/subgraph.ts';
import type { RequestContext } from '../../platform/identity.ts';
import { decodeUuid, encodeId, newUuid } from '../../platform/ids.ts';
import { payload } from '../../platform/mutation.ts';
import { owe } from '../../platform/owed-work.ts';
import { mapStream } from '../../platform/pull-stream.ts';
import { refuseTaken } from '../../platform/refusals.ts';
import type { SubgraphGround } from '../../platform/subgraph-row.ts';
import { thermometerEvents } from './events.ts';
import { insertThermometer, readThermometer, type ThermometerRow } from './thermometer-store.ts';

interface CreateInput {
  readonly idempotencyKey?: string | null;
  readonly projectId?: string | null;
  readonly name: string;
  readonly port: number;
}

export function createThermometerSubgraph(ground: SubgraphGround): Subgraph {
  const { db, feed, wake, commits, mutations, sdl } = ground;

  const read = async (context: RequestContext, uuid: string | undefined): Promise<ThermometerRow | null> => {
    const row = uuid === undefined ? undefined : await readThermometer(db, uuid);
    return row !== undefined && maySee(caller(context), row.projectId) ? row : null;
  };

  const create = (context: RequestContext, input: CreateInput) =>
    mutations.run<ThermometerRow>({
      name: 'thermometerCreate',
      context,
      input,
      subject: 'Thermometer',
      prepare(attempt) {
        const { check } = attempt;
        check.name('name', input.name);
        check.throwIfAny();
        const projectId = oneProject(context.identity, input.projectId);
        attempt.projectId = projectId;
        requireRole(context.identity, projectId, 'OPERATOR', 'thermometerCreate');
        return async (tx) => {
          const id = newUuid();
          await refuseTaken(
            'thermometer',
            input.name,
            insertThermometer(tx, { id, projectId, name: input.name, port: input.port }),
          );
          const subject = { projectId, subjectId: id, subjectVersion: 1 };
          const event = { ...subject, kind: 'thermometer.operatingStatus', from: null, to: 'UNKNOWN' } as const;
          await appendStatus(tx, thermometerEvents, [event], wake);
          await owe(tx, 'thermometer-reading', id, {}, wake);
          return id;
        };
      },
      read: (id) => read(context, id),
    });

  const resolvers = {
    Node: { __resolveType: () => null },
    Commit: commitResolvers(commits),
    Query: {
      thermometer: (_: unknown, { id }: { id: string }, context: RequestContext) =>
        read(context, decodeUuid('Thermometer', id)),
    },
    Mutation: {
      thermometerCreate: (_: unknown, { input }: { input: CreateInput }, context: RequestContext) =>
        payload('thermometer', create(context, input)),
    },
    Subscription: {
      thermometerChanges: {
        subscribe: (_: unknown, args: { after?: string | null }, context: RequestContext) =>
          mapStream(
            entityFeed({
              ...{ feed, context, args, subjectType: 'Thermometer' },
              read: (id: string) => readThermometer(db, id),
            }),
            ({ cursor, entity }) => ({ thermometerChanges: { cursor, thermometer: entity } }),
          ),
      },
    },
    Thermometer: {
      __resolveReference: ({ id }: { id: string }, context: RequestContext) =>
        read(context, decodeUuid('Thermometer', id)),
      id: ({ id }: ThermometerRow) => encodeId('Thermometer', id),
      project: ({ projectId }: ThermometerRow) => ({ __typename: 'Project', id: encodeId('Project', projectId) }),
    },
  };
  return { name: 'thermometer', schema: buildSubgraphSchema([{ typeDefs: parse(sdl), resolvers }]) };
}
