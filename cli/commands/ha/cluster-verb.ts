// Verbs for a cluster of hosts, to be run on one of its hosts.
import { resolve } from 'node:path';
import { type Asker, askerAt } from '../../../ha/acts.ts';
import { Cluster, ClusterRefusal } from '../../../ha/cluster.ts';
import type { ClusterStatus } from '../../../ha/cluster-status.ts';
import { EtcdError } from '../../../ha/etcd.ts';
import { commandTimeoutMs, etcdOf } from '../../../ha/host/cluster-client.ts';
import { type HostFile, hasHostFile, isPresent, leftHostIn, readHostFile } from '../../../ha/host/host-file.ts';
import { witnessFolderIn } from '../../../lab/ha/places.ts';
import { CommandFailure, exitCodes } from '../../failures.ts';
import { integer, type Options, text, type Values } from '../../option.ts';
import { type Printer, printerOf } from '../../printer.ts';
import { commonOptions } from '../../remote-verb.ts';
import type { Call, Verb } from '../../verb.ts';
import { refusalWords } from './refusals.ts';

export const dataOption = text('DIR', "The host's data folder (.tidegate).");

/** Options of a host that starts or joins a cluster. */
export const placeOptions = {
  name: text('NAME', "A host's name in its cluster."),
  address: text('IP', "A host's own address, at which the others reach it."),
  site: text(
    'SITE',
    'For a host of a cluster: its site. A copy of the next write is kept at another site if there is one.',
  ),
} as const;

export const waitOption = (until: string) =>
  integer('SECONDS', `Wait at most this long until ${until}.`, { least: 1, most: 3_600 });

export interface HostCall<O extends Options> extends Call<O & typeof ownOptions> {
  readonly cluster: Cluster;
  readonly file: HostFile;
  /** Folder of the host file. */
  readonly dataPath: string;
  /** Whether the data folder is that host's own. Otherwise it is the demo's, and any of its hosts is asked. */
  readonly isHostFolder: boolean;
  /** For the audit trail. */
  readonly asker: Asker;
  readonly printer: Printer;
}

const ownOptions = { data: dataOption, json: commonOptions.json } as const;

export function hostVerb<O extends Options>(verb: {
  readonly summary: string;
  readonly takes?: readonly string[];
  readonly options: O;
  run(call: HostCall<O>): Promise<void>;
}): Verb {
  const made: Verb<O & typeof ownOptions> = {
    ...{ summary: verb.summary, takes: verb.takes ?? [], options: { ...verb.options, ...ownOptions } },
    async run(call) {
      const { data } = call.options as Values<typeof ownOptions>;
      const named = resolve(data ?? '.tidegate');
      const dataPath = await anyHostIn(named);
      const file = await hostFileIn(dataPath);
      const etcd = etcdOf(file, commandTimeoutMs);
      try {
        const there = file.members.filter(isPresent);
        const cluster = new Cluster(etcd, file.cluster, there);
        const asker = askerAt(file.me, call.env);
        const printer = printerOf(call);
        const isHostFolder = dataPath === named;
        await verb.run({ ...call, cluster, file, dataPath, isHostFolder, asker, printer });
      } catch (error) {
        if (error instanceof ClusterRefusal) throw new CommandFailure(refusalWords(error));
        if (error instanceof EtcdError)
          throw new CommandFailure(
            `etcd has no majority that answers, so there are no writes either: ${error.message}`,
            exitCodes.unreachable,
          );
        throw error;
      } finally {
        etcd.close();
      }
    },
  };
  return made as unknown as Verb;
}

/** Retries while etcd has no majority, for example during an election, or while there is no primary. Throws the last error when the time is over. */
export function statusWithin(cluster: Cluster, endsAtMs: number): Promise<ClusterStatus | undefined> {
  return cluster.status().catch((error: unknown) => {
    const mayPass = error instanceof EtcdError || (error instanceof ClusterRefusal && error.code === 'NOT_SET_UP');
    if (mayPass && performance.now() < endsAtMs) return undefined;
    throw error;
  });
}

/** Throws CommandFailure. */
export async function hostFileIn(data: string | undefined): Promise<HostFile> {
  const path = resolve(data ?? '.tidegate');
  if (!(await hasHostFile(path))) {
    const left = await leftHostIn(path).catch(() => undefined);
    if (left !== undefined)
      throw new CommandFailure(
        `LEFT: this host, ${left.name}, has left the cluster at ${left.at.toISOString()}: ask another host, or let this one join with a new data folder ("tidegate ha invite" at the first host)`,
      );
    throw new CommandFailure(
      `NOT_CONFIGURED: ${path} is not the data folder of a host of a cluster: name it with --data, or begin with "tidegate ha init"; "npm start -- --ha" tries it on one machine, and "tidegate ha moves" asks a server`,
    );
  }
  return readHostFile(path).catch((error: unknown) => {
    throw new CommandFailure(error instanceof Error ? error.message : String(error));
  });
}

/** The folder itself, or the folder of the witness of an `up --ha` with this data folder. Any host may be asked. */
async function anyHostIn(path: string): Promise<string> {
  const witness = (await hasHostFile(path)) ? undefined : await witnessFolderIn(path);
  return witness !== undefined && (await hasHostFile(witness)) ? witness : path;
}
