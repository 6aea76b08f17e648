// Resolvers of the installation's processes. They are few, so that a page is a part of the whole list.
import type { Resolvers } from '../../../../generated/graph/system.ts';
import type { Database } from '../../../../platform/database/database.ts';
import { type NamedProcess, registeredProcesses } from '../../../../platform/database/registered-processes.ts';
import { adminCaller } from '../../../../platform/input/authorise.ts';
import { orderedRequest, pageItems } from '../../../../platform/pages/connection.ts';
import { refuseLongText, refuseManyNames } from '../../../../platform/pages/entity-list.ts';

export function processResolvers({ db }: { readonly db: Database }): Resolvers {
  return {
    Query: {
      async processes(_, { names, text, ...args }, context) {
        adminCaller(context);
        if (names != null) refuseManyNames(names);
        if (text != null) refuseLongText(text);
        const { length, keyOf } = keysOf[args.orderBy];
        const { first, take, after } = orderedRequest(args, args.orderBy, length);
        const placeOf = (each: NamedProcess) => keyOf(each).join(' ');
        const last = after?.join(' ');
        const part = text?.toLowerCase() ?? '';
        const all = (await registeredProcesses(db)).filter(
          ({ name }) => (names?.includes(name) ?? true) && name.toLowerCase().includes(part),
        );
        const sign = /NEWEST|DESC/.test(args.orderBy) ? -1 : 1;
        const compare = (one: string, other: string) => (one === other ? 0 : one < other ? -sign : sign);
        const sorted = all.toSorted((one, other) => compare(placeOf(one), placeOf(other)));
        const rest = sorted.filter((each) => last === undefined || compare(placeOf(each), last) > 0);
        const cursorOf = (each: NamedProcess) => [args.orderBy, ...keyOf(each)];
        return { ...pageItems(rest.slice(0, take), first, cursorOf), count: async () => all.length };
      },
    },
    SystemProcess: {
      programVersion: ({ version }) => version,
      commitHash: ({ commit }) => commit,
      hostName: ({ host }) => host,
    },
  };
}

const byName = { length: 2, keyOf: ({ name, owner }: NamedProcess) => [name, owner] };
const byStart = { length: 1, keyOf: ({ startedAt, owner }: NamedProcess) => [`${startedAt.toISOString()} ${owner}`] };
const keysOf = { NAME: byName, NAME_DESC: byName, OLDEST: byStart, NEWEST: byStart };
