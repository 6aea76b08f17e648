// The network of the device `clusters`: a namespace for each cluster, around a switch.
import { SwitchedNetwork, setCut } from '../switched-network.ts';
import { type Plan, planOf } from './plan.ts';

const prefix = 24;

export class ClustersNetwork extends SwitchedNetwork {
  constructor(id: string) {
    super(id, 'os');
  }

  /** `preferred`: the third number of an earlier start's addresses. */
  async layOut(preferred: number | undefined, signal: AbortSignal): Promise<Plan> {
    const plan = planOf(await this.lay(preferred, signal));
    for (const { name, address } of plan.clusters) await this.join(name, address, prefix);
    return plan;
  }

  /** Connections stay open on both sides, but no data passes. */
  async unplug(name: string, isUnplugged: boolean): Promise<void> {
    await setCut(this.namespace(name), isUnplugged);
  }
}
