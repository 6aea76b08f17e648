// The network of the device `sites`, as root: a namespace for each site, each name server and PowerDNS, around a switch. Cuts are nftables
// rules in the namespace, so that a checker can lose the control plane and still reach the web servers.
import { SwitchedNetwork, setCut } from '../switched-network.ts';
import { type Plan, planOf } from './plan.ts';

const prefix = 24;

/** The cut-off part of a namespace: its web server, its checker's path to the control plane, or everything. */
export type Cut =
  | { readonly what: 'web'; readonly port: number }
  | { readonly what: 'checker'; readonly machine: string; readonly ports: readonly number[] }
  | { readonly what: 'all' };

export class SitesNetwork extends SwitchedNetwork {
  constructor(id: string) {
    super(id, 'gs');
  }

  /** `preferred`: the third number of an earlier start's addresses. */
  async layOut(preferred: number | undefined, signal: AbortSignal): Promise<Plan> {
    const plan = planOf(await this.lay(preferred, signal), true);
    for (const { name, address } of [...plan.sites, ...plan.nameServers, plan.powerdns])
      await this.join(name, address, prefix);
    return plan;
  }

  async setCut(name: string, cut: Cut, isCut: boolean): Promise<void> {
    await setCut(this.namespace(name), isCut, chainsOf(cut), `tidegate-lab-${cut.what}`);
  }
}

function chainsOf(cut: Cut): string | undefined {
  if (cut.what === 'all') return undefined;
  const [inward, outward] =
    cut.what === 'web'
      ? [`tcp dport ${cut.port}`, `tcp sport ${cut.port}`]
      : [
          `ip saddr ${cut.machine} tcp sport { ${cut.ports.join(', ')} }`,
          `ip daddr ${cut.machine} tcp dport { ${cut.ports.join(', ')} }`,
        ];
  return `
  chain in { type filter hook input priority -300; ${inward} drop; }
  chain out { type filter hook output priority -300; ${outward} drop; }`;
}
