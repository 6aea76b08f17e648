// The network of the demo: a namespace for each host, around a switch. This machine is on it too, and reaches the primary's address from
// there.
import { SwitchedNetwork, setCut } from '../switched-network.ts';
import { type HostName, hostNames, type Plan, planOf, prefix } from './plan.ts';

export class HaNetwork extends SwitchedNetwork {
  constructor(id: string) {
    super(id, 'ha');
  }

  /** `kept`: the third number of its hosts' permanent addresses. Refuses another block. */
  async layOut(kept: number | undefined, signal: AbortSignal): Promise<Plan> {
    const plan = planOf(await this.lay(kept, signal));
    if (kept !== undefined && plan.net !== `198.19.${kept}`)
      throw new Error(
        `the hosts have addresses in 198.19.${kept}.0/24, and something else on this machine has that network now: "ip route" shows it`,
      );
    for (const name of hostNames) await this.join(name, plan.hosts[name], prefix);
    return plan;
  }

  async plug(name: HostName, isPlugged: boolean): Promise<void> {
    await this.setPlugged([name], isPlugged);
  }

  /** Nothing passes between the two; each still reaches the others. */
  async cut(one: HostName, other: HostName, { hosts }: Plan, isCut: boolean): Promise<void> {
    const chains = `
  chain in { type filter hook input priority -300; ip saddr ${hosts[other]} drop; }
  chain out { type filter hook output priority -300; ip daddr ${hosts[other]} drop; }`;
    await setCut(this.namespace(one), isCut, chains, cutFrom(other));
  }
}

function cutFrom(name: HostName): string {
  return `tidegate-lab-${name}`;
}
