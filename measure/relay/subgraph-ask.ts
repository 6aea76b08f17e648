// Executes on the relay's schema in this process: resolvers, services, journal and sessions, without HTTP,
// admission and query plan.
import { type DocumentNode, parse } from 'graphql';
import type { RunningProcess } from '../../compose/process.ts';
import type { Identity } from '../../platform/caller/identity.ts';
import { executeOnSchema } from '../../platform/graph/execution.ts';
import type { Logger } from '../../platform/log/log.ts';
import { newUuid } from '../../platform/values/ids.ts';
import type { Ask } from '../graph-client.ts';

/** For the bearer of `token`. The process must have the roles system and relay. */
export async function subgraphAsk({ access, subgraphs }: RunningProcess, token: string, log: Logger): Promise<Ask> {
  const relay = subgraphs.get('relay')?.subgraph;
  if (access === undefined || relay === undefined) throw new Error('the roles system and relay were not started');
  const identity: Identity | undefined = await access.authenticator.authenticate(token);
  if (identity === undefined) throw new Error('the token is not known');
  const parsed = new Map<string, DocumentNode>();
  return async <Data>(query: string, variables: object): Promise<Data> => {
    const document = parsed.get(query) ?? parse(query);
    parsed.set(query, document);
    const context = { identity, requestId: newUuid(), loaders: new Map() };
    const answer = await executeOnSchema(relay.schema, { document, variables: { ...variables }, context }, log);
    if (answer.errors !== undefined) throw new Error(answer.errors[0]?.message);
    return answer.data as unknown as Data;
  };
}
