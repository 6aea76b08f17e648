// Where a lab comes from: this process, which then must be root, or a keeper that is.

import { randomBytes } from 'node:crypto';
import { rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { SetupLog } from '../embedded/setup-log.ts';
import { type DescribedLab, describeLab, type LabAnswer } from './described-lab.ts';
import { type Lab, startLab } from './lab.ts';

export interface LabSource {
  /** Throws what kept it from starting. */
  start(log: SetupLog): Promise<LabAnswer>;
  /** Takes it away, if there is one. */
  stop(): Promise<void>;
}

/** In the data folder: the lab's own folder, and its names for shells (`. .tidegate/lab.env`). */
export const labFolder = 'lab';
export const labFile = 'lab.env';

/** `dataPath`: the data folder, in which nobody but root can remove or rename what is root's. */
export function labHere(dataPath: string, signal: AbortSignal): LabSource {
  let lab: Lab | undefined;
  return {
    async start(log) {
      lab ??= await startLab({ folder: join(dataPath, labFolder), log, signal });
      if (!lab.available) return lab;
      const described = await describeLab(lab);
      await writeNames(join(dataPath, labFile), described);
      return { available: true, lab: described };
    },
    async stop() {
      const running = lab;
      lab = undefined;
      if (running?.available === true) await running.stop();
    },
  };
}

/** Root's shells read it: it is root's, and takes the place of whatever is there. */
async function writeNames(path: string, lab: DescribedLab): Promise<void> {
  const lines = {
    FIREWALL: lab.firewall.namespace,
    CLIENT: lab.client.namespace,
    CLIENT_ADDRESS: lab.client.address,
    SERVER: lab.server.namespace,
    SERVER_ADDRESS: lab.server.address,
  };
  const text = Object.entries(lines).map(([name, value]) => `${name}=${value}\n`);
  const temporary = `${path}.${randomBytes(6).toString('hex')}`;
  await writeFile(temporary, text.join(''), { mode: 0o600, flag: 'wx' });
  await rename(temporary, path);
}
