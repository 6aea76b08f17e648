// The subgraphs of a process, on its context. A process without subgraphs does not load this.

import { Commits } from '../platform/database/commits.ts';
import { ServerReads } from '../platform/database/server-reads.ts';
import type { ConfigurationReaders } from '../platform/edge/configuration-versions.ts';
import { Mutations } from '../platform/edge/mutation.ts';
import type { ProjectEnd, ProjectHoldings } from '../platform/edge/projects.ts';
import { StatusFeed } from '../platform/events/feed.ts';
import { refuseMutations } from '../platform/graph/quiet-mutations.ts';
import { graphOf, withOutsideNodes } from '../platform/graph/sdl.ts';
import { type Config, rolesOf, settingsOf } from '../platform/process/config.ts';
import type { Lifecycle } from '../platform/process/lifecycle.ts';
import { addFeedMetrics } from '../platform/process/metrics.ts';
import {
  allEventKinds,
  type DatabaseContext,
  type RunningSubgraph,
  type SubgraphContext,
  type SubgraphRow,
} from '../platform/process/subgraph-row.ts';
import { CursorSealer } from '../platform/secrets/cursor-sealer.ts';
import type { KeyFolder } from '../platform/secrets/key-folder.ts';
import { AskedGraph } from './asked-graph.ts';
import { databaseMembers } from './connections.ts';
import type { OpenContext } from './database-context.ts';
import { openHaCluster } from './ha-cluster.ts';
import type { FollowedHosts } from './ha-hosts.ts';
import type { TlsOfRole } from './internal-tls.ts';
import { outerMemories } from './outer-memories.ts';
import { readOutsideNodes } from './outside-subgraphs.ts';

export interface SubgraphsDependencies {
  readonly config: Config;
  readonly lifecycle: Lifecycle;
  readonly opened: OpenContext;
  /** All subgraphs. */
  readonly rows: readonly SubgraphRow[];
  /** Subgraphs of this process. */
  readonly served: readonly SubgraphRow[];
  readonly keys: KeyFolder;
  readonly hosts: FollowedHosts | undefined;
  readonly tlsOf: TlsOfRole;
}

export interface OpenedSubgraphs {
  /** Keyed by name. */
  readonly running: Map<string, RunningSubgraph>;
  readonly asked: AskedGraph;
}

export async function openSubgraphs(dependencies: SubgraphsDependencies): Promise<OpenedSubgraphs> {
  const { config, lifecycle, opened, rows, served, keys, hosts, tlsOf } = dependencies;
  const asked = new AskedGraph({ config, keys, tlsOf });
  await lifecycle.add('asked graph', { stop: () => asked.close() });
  const ours = graphOf(rows);
  const outsideNodes = readOutsideNodes(config.outsideSubgraphs, ours);
  const graph = withOutsideNodes(ours, [...outsideNodes.values()].flat());
  const subgraphContext = await openSubgraphContext(config, lifecycle, opened.context, {
    keys,
    eventKinds: allEventKinds(rows),
    outsideNodes,
    roles: rolesOf(rows).all,
    projectHoldings: holdingsOf(rows, opened.owners),
    projectEnd: projectEndOf(rows, opened.owners),
    haCluster: await openHaCluster(config, lifecycle, hosts),
    hosts,
    configurations: await configurationsOf(served),
  });
  const running = new Map<string, RunningSubgraph>();
  for (const row of served) {
    const sdl = graph.get(row.name) ?? '';
    const askGraph = asked.of(row.name);
    const checkLogin = asked.checkLoginOf(row.name);
    const subgraph = await row.create({ ...subgraphContext, sdl, askGraph, checkLogin }, settingsOf(row, config));
    if (subgraph.access !== undefined) asked.loginsCheckedBy(subgraph.access.checkLogin);
    if (config['serve.quiet']) refuseMutations(subgraph.subgraph.schema);
    // A quiet one is not started: its links, watches and leases begin then.
    else await lifecycle.add(row.name, subgraph);
    running.set(row.name, subgraph);
  }
  return { running, asked };
}

async function openSubgraphContext(
  config: Config,
  lifecycle: Lifecycle,
  context: DatabaseContext,
  {
    hosts,
    configurations,
    ...shared
  }: Pick<
    SubgraphContext,
    'keys' | 'eventKinds' | 'outsideNodes' | 'roles' | 'projectHoldings' | 'projectEnd' | 'haCluster'
  > & {
    readonly hosts: FollowedHosts | undefined;
    readonly configurations: ConfigurationReaders;
  },
): Promise<Omit<SubgraphContext, 'sdl' | 'askGraph' | 'checkLogin'>> {
  const { db, wake, log, registry, health } = context;
  const keyring = await shared.keys.shared('subgraphs');
  const cursors = new CursorSealer(keyring);
  const feed = new StatusFeed({ db, wake, log, cursors });
  await lifecycle.add('status feed', { start: () => feed.start(), stop: () => feed.stop() });
  addFeedMetrics(registry, feed);
  health.add('status feed', async () => {
    const { readAgoMs } = feed.figures();
    if (readAgoMs > 5_000) throw new Error(`last read ${Math.round(readAgoMs / 1000)} s ago`);
    return undefined;
  });
  const membersIn = (changed: Config) =>
    databaseMembers(changed).map((location) => ({ name: location.host, sql: new ServerReads(location) }));
  // Read again each time.
  const members = membersIn(config);
  hosts?.onChange(async (changed) => {
    const before = members.splice(0, members.length, ...membersIn(changed));
    await Promise.all(before.map(({ sql }) => sql.close()));
  });
  const commits = new Commits({ db, keyring, log, members });
  await lifecycle.add('database members', {
    drain: () => commits.drain(),
    stop: () => Promise.all(members.map(({ sql }) => sql.close())).then(() => {}),
  });
  return {
    ...context,
    feed,
    commits,
    cursors,
    mutations: new Mutations({ db, commits, log, configurations }),
    revokedMemories: (name) => outerMemories(config, context.redis, name),
    ...shared,
  };
}

/** Of the subgraphs whose mutations this process serves. */
export async function configurationsOf(rows: readonly SubgraphRow[]): Promise<ConfigurationReaders> {
  const readers = await Promise.all(rows.map(async ({ configurations }) => (await configurations?.()) ?? {}));
  return Object.assign({}, ...readers) as ConfigurationReaders;
}

/** For the subgraphs whose tables the database has. */
function holdingsOf(rows: readonly SubgraphRow[], owners: ReadonlySet<string>): ProjectHoldings {
  return async (sql, projectId) => {
    const held: string[] = [];
    for (const row of rows)
      if (owners.has(row.migrations.owner)) held.push(...((await row.held?.(sql, projectId)) ?? []));
    return held;
  };
}

/** For the subgraphs whose tables the database has. */
function projectEndOf(rows: readonly SubgraphRow[], owners: ReadonlySet<string>): ProjectEnd {
  const ends = rows.flatMap(({ migrations, projectEnd }) =>
    projectEnd === undefined || !owners.has(migrations.owner) ? [] : [projectEnd],
  );
  return {
    async look(context, projectId) {
      const held: string[] = [];
      for (const end of ends) held.push(...(await (await end()).look(context, projectId)));
      return held;
    },
    async end(tx, wake, projectId) {
      for (const end of ends) await (await end()).end(tx, wake, projectId);
    },
  };
}
