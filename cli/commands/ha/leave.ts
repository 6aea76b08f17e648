// `tidegate ha leave`.
import { setTimeout as sleep } from 'node:timers/promises';
import { dataVersion } from '../../../compose/places.ts';
import { SetupError } from '../../../embedded/setup-error.ts';
import { Cluster } from '../../../ha/cluster.ts';
import { EtcdError } from '../../../ha/etcd.ts';
import { commandTimeoutMs, etcdOf } from '../../../ha/host/cluster-client.ts';
import { departAlone, isLast } from '../../../ha/host/depart.ts';
import { type HostFile, hasHostFile, isPresent } from '../../../ha/host/host-file.ts';
import { agentUnitName, serveUnitName } from '../../../ha/host/host-settings.ts';
import { CommandFailure, exitCodes, Interruption, UsageError } from '../../failures.ts';
import { text } from '../../option.ts';
import { hostVerb } from './cluster-verb.ts';

const endMs = 60_000;
const lookEveryMs = 200;

export const leave = hostVerb({
  summary:
    'Remove a host from the cluster permanently, so that another one can join in its place; the last host becomes a single machine again.',
  options: { host: text('HOST', 'The host that leaves, if it is lost for example; default: this one.') },
  async run({ file, dataPath, isHostFolder, asker, options, printer, signal }) {
    const there = file.members.filter(isPresent);
    if (options.host === undefined && !isHostFolder)
      throw new UsageError(`select the host: --host ${there.map(({ name }) => name).join(', --host ')}`);
    const name = options.host ?? file.me;
    const others = there.filter((each) => each.name !== name);
    let endsCluster = name === file.me && isLast(file);
    // Its own member of etcd stops during the command.
    const etcd = etcdOf({ ...file, members: endsCluster ? there : others }, commandTimeoutMs);
    try {
      const cluster = new Cluster(etcd, file.cluster, there);
      ({ endsCluster } = await cluster.leave(name, file.members, asker));
      if (endsCluster) await whenEnded(dataPath, signal);
    } catch (error) {
      if (!endsCluster || !(error instanceof EtcdError)) throw error;
      await endAlone(dataPath);
    } finally {
      etcd.close();
    }
    if (options.json) return printer.json({ left: name, ended: endsCluster });
    await printer.line(endsCluster ? ended(file, dataPath) : left(name));
  },
});

/** The host's agent does it. */
async function whenEnded(dataPath: string, signal: AbortSignal): Promise<void> {
  for (const endsAtMs = performance.now() + endMs; await hasHostFile(dataPath); ) {
    if (performance.now() > endsAtMs)
      throw new CommandFailure(
        `not done within ${endMs / 1_000} s: "tidegate ha agent" ends the database here; see its log`,
        exitCodes.late,
      );
    await sleep(lookEveryMs, undefined, { signal }).catch(() => {
      throw new Interruption('it is done nevertheless, while "tidegate ha agent" runs here');
    });
  }
}

async function endAlone(dataPath: string): Promise<void> {
  try {
    await departAlone(dataPath, dataVersion);
  } catch (error) {
    if (!(error instanceof SetupError)) throw error;
    const isUsed = error.code === 'DATA_FOLDER_IN_USE';
    throw new CommandFailure(
      isUsed
        ? `etcd does not answer. Stop "tidegate ha agent" on this host, then repeat it: ${error.message}`
        : error.message,
      isUsed ? exitCodes.unreachable : undefined,
    );
  }
}

function left(name: string): string {
  return `${name} has left. "tidegate ha invite" at the first host prints how another one joins.`;
}

function ended({ me, members }: HostFile, dataPath: string): string {
  const address = members.find(({ name }) => name === me)?.address ?? '';
  return [
    `${me} was the last host. Its data folder belongs to a single machine again, with every write. As root:`,
    `  systemctl disable --now ${serveUnitName} ${agentUnitName}   (where systemd runs; elsewhere, end "tidegate serve")`,
    `  bin/tidegate up --data ${dataPath} --host ${address}`,
  ].join('\n');
}
