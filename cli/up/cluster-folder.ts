// `tidegate up` refuses the data folder of a cluster's host, because another host may be the primary.
import { hasLeft } from '../../ha/host/host-file.ts';
import { hasServedFile, readServedFile } from '../../ha/host/served-file.ts';
import { CommandFailure } from '../failures.ts';

/** From the time when the agent has taken the database over, until the last host has left. Throws CommandFailure. */
export async function refuseClusterFolder(dataPath: string): Promise<void> {
  if (!(await hasServedFile(dataPath))) return;
  throw new CommandFailure(`CLUSTER_FOLDER: the data folder ${dataPath} ${whatItIs(dataPath)}`);
}

function whatItIs(dataPath: string): string {
  const ofHost =
    'belongs to a host of a cluster: "tidegate ha agent" runs its database, and "tidegate serve" the rest. ' +
    'Once all other hosts have left, "tidegate ha leave" makes it a single machine\'s again.';
  try {
    const file = readServedFile(dataPath);
    return hasLeft(file)
      ? `has an old copy of a cluster's database, which the host ${file.me} has left. Name another folder with --data DIR.`
      : ofHost;
  } catch {
    return ofHost;
  }
}
