// The subgraph itself: one entity, its list, its two mutations and its subscription.

import type { RequestContext } from '../../platform/caller/identity.ts';
import { payload } from '../../platform/edge/mutation.ts';
import { refuse } from '../../platform/errors/errors.ts';
import { appendStatus } from '../../platform/events/append.ts';
import { entityFeed } from '../../platform/events/entity-feed.ts';
import { createSubgraph } from '../../platform/graph/create-subgraph.ts';
import type { Subgraph } from '../../platform/graph/subgraph.ts';
import { caller, maySee, oneProject, projectsFor, requireRole, visibleRow } from '../../platform/input/authorise.ts';
import { refuseStale, refuseTaken } from '../../platform/input/refusals.ts';
import { owe } from '../../platform/owed/owed-work.ts';
import type { SubgraphContext } from '../../platform/process/subgraph-row.ts';
import { decodeUuid, encodeId, newUuid } from '../../platform/values/ids.ts';
import { mapStream } from '../../platform/work/pull-stream.ts';
import { thermometerEvents } from './events.ts';
import {
  endThermometer,
  insertThermometer,
  lockThermometer,
  pageOfThermometers,
  readThermometer,
  readThermometers,
  type ThermometerRow,
} from './thermometer-store.ts';

// A subgraph of the product has these and the type of its resolvers from generated/graph/NAME.ts.
interface CreateInput {
  readonly idempotencyKey?: string | null;
  readonly projectId?: string | null;
  readonly name: string;
  readonly port: number;
}

interface DeleteInput {
  readonly idempotencyKey?: string | null;
  readonly id: string;
  readonly expectedVersion?: number | null;
}

interface ListArguments {
  readonly projectId?: string | null;
  readonly first?: number | null;
  readonly after?: string | null;
}

export function createThermometerSubgraph(ground: SubgraphContext): Subgraph {
  const { db, feed, wake, commits, mutations, sdl } = ground;

  const read = async (context: RequestContext, id: string): Promise<ThermometerRow | null> => {
    const identity = caller(context);
    const uuid = decodeUuid('Thermometer', id);
    const row = uuid === undefined ? undefined : await readThermometer(db, uuid);
    return row !== undefined && maySee(identity, row.projectId) ? row : null;
  };

  const create = (context: RequestContext, input: CreateInput) =>
    mutations.run<ThermometerRow>({
      ...{ name: 'thermometerCreate', context, input, subject: 'Thermometer' },
      prepare(attempt) {
        const { check } = attempt;
        check.name('name', input.name);
        check.port('port', input.port);
        check.throwIfAny();
        const projectId = oneProject(context.identity, input.projectId);
        attempt.projectId = projectId;
        requireRole(context.identity, projectId, 'OPERATOR', 'thermometerCreate');
        return async (tx) => {
          const id = newUuid();
          const row = { id, projectId, name: input.name, port: input.port };
          await refuseTaken('thermometer', input.name, insertThermometer(tx, row));
          const subject = { projectId, subjectId: id, subjectVersion: 1 };
          const event = { ...subject, kind: 'thermometer.operatingStatus', from: null, to: 'UNKNOWN' } as const;
          await appendStatus(tx, thermometerEvents, [event], wake);
          await owe(tx, 'thermometer-reading', id, {}, wake);
          return id;
        };
      },
      read: (id) => readThermometer(db, id),
    });

  const remove = (context: RequestContext, input: DeleteInput) =>
    mutations.run<ThermometerRow>({
      ...{ name: 'thermometerDelete', context, input, subject: 'Thermometer' },
      async prepare(attempt) {
        const named = { type: 'Thermometer', id: input.id };
        // Including deleted ones: a repeated request is prepared again, and must get its first answer.
        const found = await visibleRow(context.identity, attempt.check, named, (uuid) => readThermometer(db, uuid));
        attempt.projectId = found.projectId;
        requireRole(context.identity, found.projectId, 'OPERATOR', 'thermometerDelete');
        return async (tx) => {
          const row = await lockThermometer(tx, found.id);
          if (row === undefined || row.operatingStatus === 'DELETED')
            refuse('NOT_FOUND', 'the thermometer was deleted', { field: ['input', 'id'] });
          refuseStale(input.expectedVersion, row);
          await endThermometer(tx, row.id);
          const subject = { projectId: row.projectId, subjectId: row.id, subjectVersion: row.version + 1 };
          const from = row.operatingStatus;
          const event = { ...subject, kind: 'thermometer.operatingStatus', from, to: 'DELETED' } as const;
          await appendStatus(tx, thermometerEvents, [event], wake);
          return row.id;
        };
      },
      read: (id) => readThermometer(db, id),
    });

  const resolvers = {
    Query: {
      thermometer: (_: unknown, { id }: { id: string }, context: RequestContext) => read(context, id),
      thermometers(_: unknown, args: ListArguments, context: RequestContext) {
        const projects = projectsFor(caller(context), args.projectId);
        return pageOfThermometers(db, projects, args);
      },
    },
    Mutation: {
      thermometerCreate: (_: unknown, { input }: { input: CreateInput }, context: RequestContext) =>
        payload('thermometer', create(context, input)),
      thermometerDelete: (_: unknown, { input }: { input: DeleteInput }, context: RequestContext) =>
        payload('thermometer', remove(context, input)),
    },
    Subscription: {
      thermometerChanges: {
        subscribe: (_: unknown, args: { after?: string | null }, context: RequestContext) =>
          mapStream(
            entityFeed({
              ...{ feed, context, args, subjectType: 'Thermometer' },
              read: (ids: readonly string[]) => readThermometers(db, ids),
            }),
            ({ cursor, entity }) => ({ thermometerChanges: { cursor, thermometer: entity } }),
          ),
      },
    },
    Thermometer: {
      __resolveReference: ({ id }: { id: string }, context: RequestContext) => read(context, id),
      id: ({ id }: ThermometerRow) => encodeId('Thermometer', id),
      project: ({ projectId }: ThermometerRow) => ({ id: encodeId('Project', projectId) }),
    },
  };
  return createSubgraph({ name: 'thermometer', sdl, commits, cursors: ground.cursors, resolvers: [resolvers] });
}
