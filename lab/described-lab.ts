// The part of a running lab that other parts need; unlike the lab itself it can be sent to another process.

import { readFile } from 'node:fs/promises';
import type { LabHost, RunningLab } from './lab.ts';

export interface DescribedLab {
  readonly firewall: {
    readonly host: string;
    readonly port: number;
    readonly username: string;
    /** For the login, in OpenSSH's format. */
    readonly privateKey: string;
    readonly hostKeySha256: string;
    readonly namespace: string;
  };
  readonly client: LabHost;
  readonly server: LabHost;
}

export type LabAnswer =
  | { readonly available: true; readonly lab: DescribedLab }
  | { readonly available: false; readonly unavailable: string };

export async function describeLab({ firewall, client, server }: RunningLab): Promise<DescribedLab> {
  const { host, port, username, privateKeyPath, hostKeySha256, namespace } = firewall;
  const privateKey = await readFile(privateKeyPath, 'utf8');
  return { firewall: { host, port, username, privateKey, hostKeySha256, namespace }, client, server };
}
