// The source of a lab: this process, which must then be root, or a keeper that is root.

import { randomBytes } from 'node:crypto';
import { rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { SetupLog } from '../embedded/setup-log.ts';
import { type DescribedLab, describeLab, type LabAnswer } from './described-lab.ts';
import { type Lab, startLab } from './lab.ts';

export interface LabSource {
  /** Throws if the lab can't start. */
  start(log: SetupLog): Promise<LabAnswer>;
  /** Ends it, if there is one. */
  stop(): Promise<void>;
}

/** In the data folder: the lab's own folder, and its names for shells (`. .tidegate/lab.env`). */
export const labFolder = 'lab';
export const labFile = 'lab.env';

/** `dataPath`: the data folder, in which only root can remove or rename root's files. */
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

/** Root's shells read it: root owns it, and it replaces any existing file. */
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
