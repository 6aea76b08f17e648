// Resolvers of the installation's processes. They are few, so that a page is a part of the whole list.
import type { Resolvers } from '../../../../generated/graph/system.ts';
import type { Database } from '../../../../platform/database/database.ts';
import { type NamedProcess, registeredProcesses } from '../../../../platform/database/registered-processes.ts';
import { adminCaller } from '../../../../platform/input/authorise.ts';
import { pageItems, pageRequest } from '../../../../platform/pages/connection.ts';

export function processResolvers({ db }: { readonly db: Database }): Resolvers {
  return {
    Query: {
      async processes(_, args, context) {
        adminCaller(context);
        const { first, take, after: [last = ''] = [] } = pageRequest(args);
        const all = await registeredProcesses(db);
        const rest = all.filter((each) => keyOf(each) > last).sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1));
        return { ...pageItems(rest.slice(0, take), first, (each) => [keyOf(each)]), count: async () => all.length };
      },
    },
    SystemProcess: {
      programVersion: ({ version }) => version,
      commitHash: ({ commit }) => commit,
      hostName: ({ host }) => host,
    },
  };
}

/** Their order. */
function keyOf({ name, owner }: NamedProcess): string {
  return `${name} ${owner}`;
}
